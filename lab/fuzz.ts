// lab fuzz: sends requests that differ a little from valid ones to every route, and judges every answer.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { positiveNumber, wholeNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import type { LocalServer } from "../cli/local/server.ts";
import { chance } from "../cli/sample/chance.ts";
import { fillNewState } from "../cli/sample/fill-new-state.ts";
import { ROOT } from "../cli/wrangler.ts";
import { problemsOf } from "./fuzz/judge.ts";
import { mutate } from "./fuzz/mutate.ts";
import { validRequests } from "./fuzz/valid.ts";
import { addCallers, signIn } from "./support/callers.ts";
import { withFreshServer } from "./support/fresh-server.ts";
import { type Sent, bodyText, send } from "./support/requests.ts";
import { lockSchema } from "./surface/lock.ts";

const PARALLEL = 16;
const ROLES = ["shopper", "support", "inventory", "admin"];
/** Callers of each role, so that few requests end at a rate limit. */
const CALLERS = 100;
/** One of so many callers has a session too. */
const SIGNED_IN = 10;
const SHOWN_MAX = 20;
const SAY_EVERY_MS = 5_000;
/** Milliseconds beyond the request's own deadline, because this machine does other work too. */
const GRACE_MS = 5_000;
const DEADLINE_MS = 10_000;

const options = commandOf("lab fuzz")
  .description(
    "Start a server with the sample, send it requests of every kind with something wrong in them, and fail if an answer is an " +
      "unexplained 5xx, shows something internal, or comes too late. The same seed sends the same requests.",
  )
  .option("--requests <number>", "how many requests", positiveNumber, 100_000)
  .option("--seconds <number>", "end after this time", positiveNumber)
  .option("--seed <number>", "where the choices begin", wholeNumber, Date.now() % 1_000_000)
  .option("--only <number>", "send the one request of this number, and print it", wholeNumber)
  .option("--json", "print JSON")
  .parse()
  .opts<{ requests: number; seconds?: number; seed: number; only?: number; json?: boolean }>();

interface Found {
  number: number;
  problems: string[];
  request: string;
}

const found: Found[] = [];
const statuses: Record<number, number> = {};
const surprises: string[] = [];
let sent = 0;
await withFreshServer(
  async (server, folder) => {
    await fillNewState(server, `${folder}/state`);
    await run(server);
  },
  {
    // Every route is open.
    vars: { PUBLIC_CATALOG: "on", STOCK_WEBHOOK_SECRET: `whsec_${randomBytes(24).toString("base64")}` },
    onLog: (line) => {
      if (line.includes("internal_error") && surprises.length < SHOWN_MAX) surprises.push(line);
    },
  },
);
report();

async function run(server: LocalServer): Promise<void> {
  const ids = (role: string) => Array.from({ length: CALLERS }, (_, index) => `fuzz-${role}-${index}`);
  const keys: string[] = [];
  for (const role of ROLES) keys.push(...(await addCallers(server, ids(role), role)));
  const cookies = await Promise.all(
    keys.filter((_, index) => index % SIGNED_IN === 0).map((key) => signIn(server.url, key)),
  );
  const valid = validRequests(
    lockSchema.parse(JSON.parse(await readFile(join(ROOT, "tool-definitions.json"), "utf8"))),
  );
  const requestOf = (number: number): Sent => {
    const random = chance(options.seed + number);
    const request = mutate(valid(random), random);
    const key = random.between(1, 5) === 1 ? undefined : random.oneOf(keys);
    const isPage = !request.path.startsWith("/mcp") && !request.path.includes("/api/");
    return {
      ...request,
      headers: {
        "cf-connecting-ip": `2001:db8:${random.between(0, 65_535).toString(16)}:${random.between(0, 65_535).toString(16)}::1`,
        ...(key !== undefined && !isPage && { authorization: `Bearer ${key}` }),
        ...(isPage && { cookie: random.oneOf(cookies), origin: server.url }),
        ...request.headers,
      },
    };
  };
  if (options.only !== undefined) {
    await judge(server, options.only, requestOf(options.only), true);
    return;
  }
  const end =
    options.seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.seconds * 1_000;
  let next = 0;
  const progress = setInterval(() => console.error(`${sent} of ${options.requests} requests`), SAY_EVERY_MS);
  const worker = async () => {
    while (next < options.requests && performance.now() < end && found.length < SHOWN_MAX) {
      const number = next++;
      await judge(server, number, requestOf(number), false);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker)).finally(() => clearInterval(progress));
  await sleep(500);
  const alive = await fetch(`${server.url}/readyz`);
  if (alive.status !== 200)
    found.push({ number: -1, problems: [`/readyz answers ${alive.status}`], request: "" });
}

async function judge(server: LocalServer, number: number, request: Sent, isShown: boolean): Promise<void> {
  const answer = await send(server.url, request);
  sent++;
  if (answer === undefined) return;
  statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
  if (isShown) console.error(`${asCurl(server.url, request)}\n\n${answer.status}\n${answer.body}`);
  const problems = problemsOf(answer, DEADLINE_MS + GRACE_MS);
  if (problems.length > 0) found.push({ number, problems, request: asCurl(server.url, request) });
}

function asCurl(url: string, request: Sent): string {
  const headers = Object.entries(request.headers).map(
    ([name, value]) => `-H ${JSON.stringify(`${name}: ${value}`)}`,
  );
  const body = bodyText(request);
  const data = body === undefined ? [] : [`--data-raw ${JSON.stringify(body)}`];
  return ["curl -X", request.method, JSON.stringify(`${url}${request.path}`), ...headers, ...data].join(" ");
}

function report(): void {
  const passed = found.length === 0 && surprises.length === 0;
  if (options.json === true)
    console.log(JSON.stringify({ seed: options.seed, sent, statuses, found, surprises }));
  else {
    console.log(`Seed ${options.seed}: ${sent} requests. Answers by status: ${JSON.stringify(statuses)}`);
    for (const { number, problems, request } of found)
      console.log(
        `\n${problems.join("; ")}\n  again: npx product-catalog-mcp lab fuzz --seed ${options.seed} --only ${number}\n  ${request}`,
      );
    for (const line of surprises) console.log(`\nThe server logged: ${line}`);
    console.log(
      passed ? "Nothing found." : `\n${found.length} answers and ${surprises.length} log lines are wrong.`,
    );
  }
  if (!passed) process.exitCode = 1;
}
