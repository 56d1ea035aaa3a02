// npm run support: sample people for the support desk of a server on this machine.

import { once } from "node:events";
import type { Command } from "commander";
import { commandOf } from "./command.ts";
import { wholeNumber } from "./arguments.ts";
import { DEFAULT_STATE_DIR, withServer } from "./local/server.ts";
import { DESK_SIZE, type DeskSize, fillDeskWhereEmpty, sampleDesk } from "./sample/fill-desk.ts";
import { CUSTOMERS_MIN } from "./sample/generate-desk.ts";

// `generate | head` closes the pipe early, which is no failure.
process.stdout.on("error", (error) => process.exit("code" in error && error.code === "EPIPE" ? 0 : 1));

const program = commandOf("npm run -s support --").description(
  "Make sample customers, orders and tickets. Everybody is made up; some tickets carry injected instructions, some " +
    "customers are canaries. There is no --remote: a deployed server gets no sample people.",
);

const sized = (command: Command) =>
  command
    .option("--customers <number>", "customers", wholeNumber, DESK_SIZE.customers)
    .option("--seed <number>", "seed", wholeNumber, DESK_SIZE.seed);

sized(program.command("generate"))
  .description('Print a support desk as JSONL, the same for the same seed: {"kind", "record"} a line.')
  .action(async (size: DeskSize) => {
    const { customers, orders, tickets } = sampleDesk(checked(size));
    const lines = { customer: customers, order: orders, ticket: tickets };
    for (const [kind, records] of Object.entries(lines)) {
      for (const record of records) {
        if (!process.stdout.write(`${JSON.stringify({ kind, record })}\n`))
          await once(process.stdout, "drain");
      }
    }
  });

sized(program.command("fill"))
  .description("Fill the support desk of the local database, which npm run dev does too where it is empty.")
  .option("--state <folder>", "where the local database lives", DEFAULT_STATE_DIR)
  .option("--json", "print the counts as JSON")
  .action(async ({ state: stateDir, json, ...size }: DeskSize & { state: string; json?: boolean }) => {
    const { customers, orders, tickets } = sampleDesk(checked(size));
    const filled = await withServer({ stateDir }, (server) => fillDeskWhereEmpty(server, size));
    if (!filled) {
      program.error("The support desk holds customers already; it is as it was. Use another --state folder.");
    }
    const counts = { customers: customers.length, orders: orders.length, tickets: tickets.length };
    console.log(
      json === true
        ? JSON.stringify(counts)
        : `Filled: ${counts.customers} customers, ${counts.orders} orders, ${counts.tickets} tickets.`,
    );
  });

await program.parseAsync();

function checked(size: DeskSize): DeskSize {
  if (size.customers < CUSTOMERS_MIN) {
    program.error(`--customers must be ${CUSTOMERS_MIN} or more, so that the demo customer is among them.`);
  }
  return size;
}
