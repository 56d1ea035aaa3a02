// lab faults: breaks each part that the server needs, and shows what callers saw of it and what was kept.

import { commandOf } from "../cli/command.ts";
import { BINDINGS, breakBindings } from "./faults/bindings.ts";
import { fillDisk, killProcesses, stepClock } from "./faults/machine.ts";
import { HEAD, cellsOf } from "./faults/report.ts";
import type { Row } from "./faults/row.ts";
import { breakWebhook } from "./faults/webhook.ts";
import { markdownTable, writeSection } from "./support/page.ts";

/** Servers that run beside each other; most of their time is waiting. */
const AT_ONCE = 3;

const { json, write } = commandOf("lab faults")
  .description(
    "Break each binding, the clock, the processes, the disk and the webhook of servers on this machine while callers call. Fails " +
      "if an answer has no code of docs/errors.md, comes after its deadline, is in no audit or log, or is refused once everything " +
      "works again, or if a write is lost or made twice.",
  )
  .option("--json", "print JSON")
  .option("--write", "write the table into docs/reliability.md")
  .parse()
  .opts<{ json?: boolean; write?: boolean }>();

const jobs: (() => Promise<Row[]>)[] = [
  ...BINDINGS.map((list) => () => breakBindings(list)),
  stepClock,
  killProcesses,
  fillDisk,
  breakWebhook,
];
const done: Row[][] = [];
let next = 0;
const work = async (): Promise<void> => {
  while (next < jobs.length) {
    const place = next++;
    const rows = (await jobs[place]?.()) ?? [];
    done[place] = rows;
    for (const { fault, problems } of rows)
      console.error(`${problems.length === 0 ? "ok" : "BROKEN"}: ${fault}`);
  }
};
await Promise.all(Array.from({ length: AT_ONCE }, work));

const rows = done.flat();
const table = markdownTable(HEAD, rows.map(cellsOf));
if (write === true) await writeSection("lab faults", table);
console.log(json === true ? JSON.stringify(rows) : table);
for (const { fault, problems } of rows)
  for (const problem of problems) {
    console.error(`${fault}: ${problem}`);
    process.exitCode = 1;
  }
