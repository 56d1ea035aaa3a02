// lab soak: many callers for a long time, and then every record is counted.

import { positiveNumber, wholeNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { Scene, startBreakable } from "./faults/scene.ts";
import { type Part, type Soaked, soak } from "./soak/run.ts";
import { markdownTable, writeSection } from "./support/page.ts";

/** How much more processor time a request may take at the end. */
const SLOWER_MAX = 2;
const JUDGED_MIN = 500;
/** Bytes of a caller's object for each call. */
const STORAGE_MAX = 4_000;

const { minutes, rate, seed, json, write } = commandOf("lab soak")
  .description(
    "Let 40 callers call by a schedule, in both eras of MCP: reads, writes, batches, mistakes. Fails if an answer differs from the one " +
      "at the start, a call is refused for the server's reasons, a chain is not valid, the records are not as many as the calls, or " +
      "the server slows down.",
  )
  .option("--minutes <number>", "how long", positiveNumber, 1)
  .option("--rate <number>", "requests a second", positiveNumber, 10)
  .option("--seed <number>", "where the choices begin", wholeNumber, 1)
  .option("--json", "print JSON")
  .option("--write", "write the figures into docs/reliability.md")
  .parse()
  .opts<{ minutes: number; rate: number; seed: number; json?: boolean; write?: boolean }>();

const soaked = await Scene.with(startBreakable(), (scene) =>
  soak(scene, { minutes, rate, seed }, (text) => console.error(text)),
);
const { first, last, storage, problems } = soaked;
// The times of answers depend on what else the machine does. Processor time comes in steps of 10 ms.
if (soaked.requests >= JUDGED_MIN && last.cpu > SLOWER_MAX * first.cpu)
  problems.push(`a request took ${last.cpu.toFixed(1)} ms of processor time at the end`);
if (storage > STORAGE_MAX) problems.push(`a call takes ${storage.toFixed(0)} bytes of storage`);

const table = markdownTable(["measured", "value"], figuresOf(soaked));
if (write === true) await writeSection("lab soak", table);
console.log(json === true ? JSON.stringify(soaked) : table);
for (const problem of problems) {
  console.error(problem);
  process.exitCode = 1;
}

function figuresOf({ minutes: lasted, requests, calls, recorded, ...found }: Soaked): string[][] {
  const ms = (part: Part) =>
    `${part.p50.toFixed(1)} and ${part.p99.toFixed(1)} ms; ${part.cpu.toFixed(1)} ms of processor time`;
  const many = (number: number) => number.toLocaleString("en");
  return [
    ["minutes, requests, a second", `${lasted}, ${many(requests)}, ${rate}`],
    ["calls sent, calls recorded", `${many(calls)}, ${many(recorded)}`],
    ["p50 and p99 in the first tenth", ms(found.first)],
    ["p50 and p99 in the last tenth", ms(found.last)],
    ["storage of a caller's object, a call", `${many(Math.round(found.storage))} bytes`],
    ["memory of the runtime a call", `${many(Math.round(found.memory))} bytes`],
    ["broken promises", String(problems.length)],
  ];
}
