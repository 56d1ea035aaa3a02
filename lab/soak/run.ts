// Sends calls by a schedule, whether or not earlier ones were answered.

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { readLock } from "../../cli/local/lock-file.ts";
import { chance } from "../../cli/sample/chance.ts";
import { readWorld } from "../attack/world.ts";
import type { Scene } from "../faults/scene.ts";
import { runtimeBytes } from "../bench/memory.ts";
import { cpuMs } from "../bench/runtime.ts";
import { addCallers } from "../support/callers.ts";
import { readChain } from "../support/chains.ts";
import { codeOf } from "../support/codes.ts";
import { quantile } from "../support/figures.ts";
import { type Planned, ROLES, mixOf } from "./mix.ts";

const PRINCIPALS = 40;
/** The first and the last of so many parts are compared. */
const PARTS = 10;
/** Milliseconds after which a count of repeated calls has become a record. */
const WINDOW_MS = 61_000;
const SHOWN_MAX = 10;

export interface Part {
  /** Milliseconds from the planned time to the answer, for half of the requests and for 99 of 100. */
  p50: number;
  p99: number;
  /** Milliseconds of the runtime's processor time for each request. */
  cpu: number;
}

export interface Soaked {
  minutes: number;
  requests: number;
  calls: number;
  recorded: number;
  first: Part;
  last: Part;
  /** Growth by call, in bytes. */
  memory: number;
  storage: number;
  problems: string[];
}

export async function soak(
  scene: Scene,
  { minutes, rate, seed }: { minutes: number; rate: number; seed: number },
  onProgress: (text: string) => void,
): Promise<Soaked> {
  const random = chance(seed);
  const ids = Array.from({ length: PRINCIPALS }, (_, index) => `soak-${index}`);
  const roleOf = (index: number) => ROLES[index % ROLES.length] ?? "shopper";
  const keys: string[] = [];
  for (const [index, id] of ids.entries())
    keys.push(...(await addCallers(scene.server, [id], roleOf(index))));
  const plan = mixOf(await readWorld(scene.server), scene.place);
  const sentBy = new Map<string, number>();
  const baseline = new Map<string, string>();
  const problems: string[] = [];
  const note = (problem: string) => void (problems.length < SHOWN_MAX && problems.push(problem));

  const one = async (index: number, { request, calls, sameAs }: Planned): Promise<void> => {
    const id = ids[index] ?? "";
    sentBy.set(id, (sentBy.get(id) ?? 0) + calls);
    const answer = await scene.send(request);
    const code = codeOf(answer);
    if (code === undefined || answer.status >= 500 || BROKEN.has(code))
      note(`${id}: ${code ?? `HTTP ${answer.status} without a code`}`);
    if (sameAs === undefined) return;
    const hash = hashOf(answer.body);
    const before = baseline.get(sameAs);
    if (before === undefined) baseline.set(sameAs, hash);
    else if (before !== hash) note(`another answer than at the start: ${sameAs}`);
  };
  const next = () => {
    const index = random.between(0, PRINCIPALS - 1);
    return { index, planned: plan(roleOf(index), keys[index] ?? "", random) };
  };

  onProgress("taking the baseline");
  for (let each = 0; each < 10 * PRINCIPALS; each++) {
    const { index, planned } = next();
    await one(index, planned);
  }
  const before = await footprint(scene, ids);
  const callsBefore = sum(sentBy.values());

  const times: [atMs: number, ms: number][] = [];
  const total = PARTS * Math.ceil((minutes * 60 * rate) / PARTS);
  const waiting = new Set<Promise<void>>();
  const started = performance.now();
  let due = 0;
  const [runtime = 0] = (await readLock(scene.stateDir))?.runtimes ?? [];
  /** Processor time at the end of each part. */
  const spentBy: number[] = [];
  for (let each = 0; each < total; each++) {
    if (each % (total / PARTS) === 0) spentBy.push(cpuMs(runtime));
    // Exponential gaps: arrivals that know nothing of each other.
    due += (-Math.log(1 - random.between(0, 999_999) / 1_000_000) * 1_000) / rate;
    await sleep(Math.max(0, started + due - performance.now()));
    const at = due;
    const { index, planned } = next();
    const sending = one(index, planned).then(
      () => void times.push([at, performance.now() - started - at]),
      (error: unknown) => note(`no answer: ${String(error)}`),
    );
    waiting.add(sending);
    void sending.then(() => waiting.delete(sending));
    if (each % (rate * 30) === 0) onProgress(`${each} of ${total} requests`);
  }
  await Promise.all(waiting);
  spentBy.push(cpuMs(runtime));
  const after = await footprint(scene, ids);
  const calls = sum(sentBy.values());

  onProgress("exporting and verifying every chain");
  let recorded = 0;
  for (const id of ids) {
    await scene.break({ clock: String(WINDOW_MS), ring: id });
    await sleep(20);
    const chain = await readChain(scene.server.url, scene.admin, id);
    if (chain === undefined || chain.problem !== undefined)
      note(`the chain of ${id}: ${chain?.problem ?? "none"}`);
    recorded += chain?.calls ?? 0;
    if (chain?.calls !== (sentBy.get(id) ?? 0))
      note(`${id} sent ${sentBy.get(id) ?? 0} calls, and ${chain?.calls ?? 0} are recorded`);
  }
  await scene.break();
  const part = (from: number, to: number): Part => {
    const own = times.filter(([at]) => at >= from * due && at <= to * due).map(([, ms]) => ms);
    const spent = (spentBy[to * PARTS] ?? 0) - (spentBy[from * PARTS] ?? 0);
    return { p50: quantile(own, 0.5), p99: quantile(own, 0.99), cpu: (spent * PARTS) / total };
  };
  return {
    minutes,
    requests: total,
    calls,
    recorded,
    first: part(0, 1 / PARTS),
    last: part((PARTS - 1) / PARTS, 1),
    memory: (after.memory - before.memory) / (calls - callsBefore),
    storage: (after.storage - before.storage) / (calls - callsBefore),
    problems,
  };
}

/** Refusals for the server's own reasons, and those that no caller here may meet. */
const BROKEN: ReadonlySet<string> = new Set([
  "unavailable",
  "timeout",
  "internal",
  "rate_limited",
  "flow_blocked",
  "confirmation_required",
]);

/** Compares answers without the names of their requests, and without times. */
const hashOf = (body: string): string =>
  createHash("sha256")
    .update(body.replaceAll(/[\da-f]{8}-[\da-f]{4}-[\da-f-]{22}|\d{4}-\d\d-\d\dT[\d:.]+Z/g, "*"))
    .digest("hex");

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, each) => all + each, 0);

/** Bytes of the runtime's memory, and of the callers' objects. */
async function footprint(scene: Scene, ids: readonly string[]): Promise<{ memory: number; storage: number }> {
  let storage = 0;
  for (const size of ids) storage += await scene.break({ size });
  return { memory: await runtimeBytes(scene.stateDir), storage };
}
