import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startCommand, within } from "../node/support/processes.ts";
import { type Scaled, startScaled } from "./support/scaled.ts";

// Times each page and list with 100 callers and a chain of 100 records, and with 100,000 of both. Two servers run side by
// side and are asked in turn, so that whatever else the machine does slows both alike.

const FEW = 100;
const MANY = 100_000;
/** How much longer the many may take. */
const RATIO = 3;
/** Milliseconds that the clock and the machine give or take: below these a ratio says nothing. */
const FLOOR_MS = 8;
const ROUNDS = 9;

const PAGES = [
  "/admin",
  "/admin?range=30d",
  "/admin/incidents",
  "/admin/incidents?which=all",
  "/admin/incidents?folded=catalog-guessing",
  "/admin/incidents/0000000000000000000002",
  "/admin/callers",
  "/admin/callers?q=ada",
  "/admin/callers?q=anon",
  "/admin/callers/many-2",
  "/admin/audit",
  "/admin/audit/many-2",
  "/admin/policy",
  "/account",
];
const LISTS = [
  "/users",
  "/users?limit=1000",
  "/keys",
  "/keys?user=many-2",
  "/signing-keys",
  "/incidents",
  "/incidents?which=open",
  "/incidents?folded=catalog-guessing",
  "/audit",
];
/** As an operator types them. */
const COMMANDS: [script: string, ...args: string[]][] = [
  ["users", "list"],
  ["keys", "list"],
  ["signing-keys", "list"],
  ["incidents"],
  ["audit", "list"],
];

let folder: string;
let [few, many]: Scaled[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-scale-"));
  few = await startScaled(join(folder, "few"), FEW);
  many = await startScaled(join(folder, "many"), MANY);
}, 300_000);
afterAll(async () => {
  await few?.close();
  await many?.close();
  await rm(folder, { recursive: true, force: true });
});

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

type Ask = (scaled: Scaled) => Promise<unknown>;

/** Median milliseconds of each, asked in turn. */
async function compare(ask: Ask, rounds: number): Promise<[few: number, many: number]> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++)
    for (const [index, scaled] of [few, many].entries()) {
      if (scaled === undefined) throw new Error("The servers have not started.");
      const start = performance.now();
      await ask(scaled);
      times[index]?.push(performance.now() - start);
    }
  return [median(times[0]), median(times[1])];
}

/** Prints every figure, and gives those that are too slow. */
async function tooSlow(asked: [name: string, ask: Ask][], rounds = ROUNDS): Promise<string[]> {
  const slow: string[] = [];
  for (const [name, ask] of asked) {
    // The first answers of a server come slower than any later.
    await compare(ask, 2);
    const [before, after] = await compare(ask, rounds);
    const figures = `${name}: ${before.toFixed(1)} ms, then ${after.toFixed(1)} ms`;
    console.error(figures);
    if (after > RATIO * Math.max(before, FLOOR_MS)) slow.push(figures);
  }
  return slow;
}

it("every page of the dashboard answers within three times as long", async () => {
  expect(await tooSlow(PAGES.map((path) => [path, (scaled) => scaled.page(path)]))).toEqual([]);
}, 300_000);

it("every list of the admin API answers within three times as long", async () => {
  expect(await tooSlow(LISTS.map((path) => [path, (scaled) => scaled.api(path)]))).toEqual([]);
}, 300_000);

it("every list of the command line answers within three times as long", async () => {
  const run =
    ([script, ...args]: (typeof COMMANDS)[number]): Ask =>
    async ({ stateDir }) => {
      const { code, stderr } = await within(60_000, startCommand(script, [...args, `--state=${stateDir}`]));
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    };
  expect(
    await tooSlow(
      COMMANDS.map((words) => [words.join(" "), run(words)]),
      3,
    ),
  ).toEqual([]);
}, 300_000);

it("a call waits no longer while a long chain is pruned", async () => {
  const waits = async (scaled: Scaled, count: number) => {
    const principal = "pruned-1";
    const day = 86_400_000;
    await scaled.fillChain(principal, count, { from: Date.now() - 90 * day, to: Date.now() - 60 * day });
    await scaled.ping(principal);
    await scaled.ring(principal);
    let longest = 0;
    const end = Date.now() + 1_000;
    while (Date.now() < end) {
      const start = performance.now();
      await scaled.ping(principal);
      longest = Math.max(longest, performance.now() - start);
      await sleep(1);
    }
    const left = await scaled.records(principal);
    return { longest, left };
  };
  if (few === undefined || many === undefined) throw new Error("The servers have not started.");
  const [short, long] = [await waits(few, FEW), await waits(many, MANY)];
  console.error("pruning", short, long);
  expect(short.left).toBeLessThan(FEW);
  expect(long.left).toBeLessThan(MANY);
  expect(long.longest).toBeLessThan(RATIO * Math.max(short.longest, 60));
}, 120_000);
