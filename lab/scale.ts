// lab scale: times the same things on a small server and on a large one.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { positiveNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import {
  type Ask,
  commandMeasures,
  exportAndVerify,
  memoryOf,
  quickMeasures,
  waitWhilePruning,
  wakeUp,
} from "./scale/measures.ts";
import { type Scaled, type Size, startScaled } from "./scale/scaled.ts";
import { median } from "./support/figures.ts";
import { markdownTable, writeSection } from "./support/page.ts";

const FEW = { callers: 100, records: 100, products: 1_000 };
const MANY = { callers: 20_000, records: 100_000, products: 1_000_000 };
/** How much longer anything may take on the large server. */
const RATIO = 3;
/** Milliseconds that the clock and the machine give or take: below these a ratio says nothing. */
const FLOOR_MS = 8;
const WAIT_FLOOR_MS = 60;
const ROUNDS = 9;
const COMMAND_ROUNDS = 3;

const { share, write } = commandOf("lab scale")
  .description(
    "Fill one server with 20,000 callers, a chain of 100,000 records and 1,000,000 products, and one with few. Time the dashboard's " +
      "pages, lists, calls, an export with its verification, and an object that wakes up, on both in turn. Fails if anything takes more " +
      "than three times as long on the large one.",
  )
  .option("--share <number>", "the large server's size, as a share of the whole", positiveNumber, 1)
  .option("--write", "write the figures into docs/reliability.md")
  .parse()
  .opts<{ share: number; write?: boolean }>();

const size = {
  callers: MANY.callers * share,
  records: MANY.records * share,
  products: MANY.products * share,
} satisfies Size;
const rows: string[][] = [];
const slow: string[] = [];

const folder = await mkdtemp(join(tmpdir(), "catalog-scale-"));
const started: Scaled[] = [];
try {
  console.error("Filling two servers");
  const few = await startScaled(join(folder, "few"), FEW);
  started.push(few);
  const many = await startScaled(join(folder, "many"), size);
  started.push(many);
  for (const [name, ask] of quickMeasures()) compare(name, await timesOf([few, many], ask, ROUNDS));
  for (const [name, ask] of commandMeasures()) compare(name, await timesOf([few, many], ask, COMMAND_ROUNDS));
  compare("an object wakes up", [await wakeUps(few), await wakeUps(many)]);
  const [short, long] = [await exportAndVerify(few, FEW.records), await exportAndVerify(many, size.records)];
  compare("export and verify, 100 records", [short, (100 * long) / size.records]);
  compare(
    "longest wait while a chain is pruned",
    [await waitWhilePruning(few, FEW.records), await waitWhilePruning(many, size.records)],
    WAIT_FLOOR_MS,
  );
  const [least, most] = [await memoryOf(few), await memoryOf(many)];
  rows.push(["memory of the runtime", `${least.toFixed(0)} MB`, `${most.toFixed(0)} MB`]);
  if (most > RATIO * least) slow.push("memory of the runtime");
} finally {
  for (const { server } of started) await server.close();
  await rm(folder, { recursive: true, maxRetries: 5 });
}

const heads = [FEW, size].map(({ callers, records, products }) =>
  [callers, records, products].map((count) => count.toLocaleString("en")).join(" / "),
);
const table = markdownTable(["callers / records / products", ...heads], rows);
if (write === true) await writeSection("lab scale", table);
console.log(table);
for (const name of slow) {
  console.error(`Too slow on the large server: ${name}`);
  process.exitCode = 1;
}

/** Median milliseconds on each server, asked in turn, so that a busy machine slows both alike. */
async function timesOf(
  servers: readonly [Scaled, Scaled],
  ask: Ask,
  rounds: number,
): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  // The first answers of a server come slower than any later.
  for (let round = -2; round < rounds; round++)
    for (const [index, scaled] of servers.entries()) {
      const start = performance.now();
      await ask(scaled);
      if (round >= 0) times[index]?.push(performance.now() - start);
    }
  return [median(times[0]), median(times[1])];
}

async function wakeUps(scaled: Scaled): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await wakeUp(scaled));
  return median(times);
}

function compare(name: string, [before, after]: [number, number], floor = FLOOR_MS): void {
  rows.push([name, `${before.toFixed(1)} ms`, `${after.toFixed(1)} ms`]);
  console.error(`${name}: ${before.toFixed(1)} ms, then ${after.toFixed(1)} ms`);
  if (after > RATIO * Math.max(before, floor)) slow.push(name);
}
