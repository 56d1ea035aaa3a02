// One row of the page: what callers saw of a fault, for how long, what was kept and what was logged.

import { setTimeout as sleep } from "node:timers/promises";
import { GRACE_MS } from "../../src/deadlines.ts";
import { DEMO_CUSTOMER } from "../../cli/sample/generate-desk.ts";
import { toId } from "../../src/support/ids.ts";
import { readChain } from "../support/chains.ts";
import { ANSWERED, codeOf } from "../support/codes.ts";
import { type Answered, type Sent, form } from "../support/requests.ts";
import { type Callers, DEADLINE_MS, type Scene, tool } from "./scene.ts";

export interface Row {
  fault: string;
  /** Code by call; ANSWERED if it was. */
  codes: Record<string, string>;
  longestMs: number;
  kept: string;
  /** Names of the log's events that tell of the fault. */
  logged: string[];
  /** Broken promises. */
  problems: string[];
}

/** No answer may come later. This machine gets three seconds, because it does other work too. */
const LATEST_MS = DEADLINE_MS + GRACE_MS + 3_000;
/** The server settles and logs some work after its answer. */
const SETTLE_MS = 400;
const TRIES = 12;

export interface Asked {
  name: string;
  request: Sent;
}

export const METRICS: Sent = { method: "GET", path: "/metrics", headers: {} };

/** Every kind of call that depends on something. */
export const callsOf = (scene: Scene, { shopper, support, stock, token }: Callers): Asked[] =>
  Object.entries<Sent>({
    "catalog read": tool(shopper, "search_products", { query: "wireless keyboard" }),
    "catalog read by token": tool(token.access_token, "search_products", { query: "wireless keyboard" }),
    "customer read": tool(support, "get_customer", { customer_id: toId("C", DEMO_CUSTOMER) }),
    "stock write": scene.take(stock),
    "token renewal": form("/oauth/token", {
      grant_type: "refresh_token",
      client_id: token.client_id,
      refresh_token: token.refresh_token,
    }),
    "sign-in": signIn(scene, shopper),
    dashboard: { method: "GET", path: "/admin", headers: { cookie: scene.cookie } },
    "audit export": {
      method: "GET",
      path: "/admin/api/audit/user-admin",
      headers: { authorization: `Bearer ${scene.admin}` },
    },
    metrics: METRICS,
    "style sheet": { method: "GET", path: "/assets/site.css", headers: {} },
  }).map(([name, request]) => ({ name, request }));

function signIn({ server: { url } }: Scene, key: string): Sent {
  const request = form("/sign-in", { key });
  return { ...request, headers: { ...request.headers, origin: url } };
}

/** Sends every call while something is broken, mends it, and looks at what is left. */
export async function rowOf(
  fault: string,
  scene: Scene,
  callers: Callers,
  mend: () => Promise<void>,
): Promise<Row> {
  const follow = scene.follow();
  const answers = await Promise.all(
    callsOf(scene, callers).map(async (each) => ({ ...each, answer: await scene.send(each.request) })),
  );
  await sleep(SETTLE_MS);
  const lines = follow();
  await mend();
  const problems: string[] = [];
  const codes: Record<string, string> = {};
  for (const { name, request, answer } of answers) {
    const code = codeOf(answer);
    codes[name] = code ?? `HTTP ${answer.status}`;
    if (code === undefined) problems.push(`${name}: HTTP ${answer.status} without a code`);
    if (answer.ms > LATEST_MS) problems.push(`${name} took ${Math.round(answer.ms)} ms`);
    if (code === ANSWERED) continue;
    if (!lines.some(({ correlation_id, level }) => level === "error" && correlation_id === idOf(answer)))
      problems.push(`${name} was refused, and no line of the log of level error names it`);
    problems.push(...(await retry(scene, { name, request })));
  }
  const answered = answers.filter(({ name, request }) => request.path === "/mcp" && codes[name] === ANSWERED);
  const kept = await keptOf(scene, callers, { lines, ids: answered.map(({ answer }) => idOf(answer)) });
  const longestMs = Math.max(...answers.map(({ answer: { ms } }) => ms));
  return {
    fault,
    codes,
    longestMs,
    kept: kept.text,
    logged: toldBy(lines),
    problems: [...problems, ...kept.problems],
  };
}

export const idOf = ({ headers }: Answered): string => headers.get("x-request-id") ?? "";

/** Events of level error. */
export const toldBy = (lines: readonly Record<string, unknown>[]): string[] =>
  [...new Set(lines.filter(({ level }) => level === "error").map(({ event }) => String(event)))].toSorted();

/** A client that repeats a call once everything works must get what it asked for. */
export async function retry(scene: Scene, { name, request }: Asked): Promise<string[]> {
  let code: string | undefined;
  for (let tries = 0; tries < TRIES; tries++) {
    code = codeOf(await scene.send(request));
    if (code === ANSWERED) return [];
    await sleep(SETTLE_MS);
  }
  return [`${name} is still refused when everything works again: ${code}`];
}

interface Expected {
  lines: readonly Record<string, unknown>[];
  /** Correlation ids of answered calls. */
  ids: readonly string[];
  /** Different writes that were sent. */
  writes?: number;
}

/**
 * Finds each answered call in its caller's chain, or in the log if the policy let it run without; and each write in the stock,
 * once.
 */
export async function keptOf(
  scene: Scene,
  callers: Pick<Callers, "ids">,
  { lines, ids, writes = 1 }: Expected,
): Promise<{ text: string; problems: string[] }> {
  const problems: string[] = [];
  const recorded = new Set<string>();
  for (const id of callers.ids) {
    const chain = await readChain(scene.server.url, scene.admin, id);
    if (chain?.problem !== undefined) problems.push(`the chain of ${id}: ${chain.problem}`);
    for (const named of chain?.ids ?? []) recorded.add(named);
  }
  const degraded = new Set(
    lines
      .filter(({ event, served }) => event === "guard_degraded" && served === true)
      .map(({ correlation_id }) => correlation_id),
  );
  const inChain = ids.filter((id) => recorded.has(id)).length;
  const inLog = ids.filter((id) => !recorded.has(id) && degraded.has(id)).length;
  const lost = ids.length - inChain - inLog;
  if (lost > 0) problems.push(`${lost} answered calls have no record`);
  const applied = (await scene.rows("SELECT id FROM changes WHERE principal = ?", callers.ids[2] ?? ""))
    .length;
  if (applied !== writes) problems.push(`${writes} writes were sent, and the stock has ${applied}`);
  const places = [...(inChain > 0 ? ["audit"] : []), ...(inLog > 0 ? ["log alone"] : [])];
  return { problems, text: places.length === 0 ? "nothing was answered" : places.join(", ") };
}
