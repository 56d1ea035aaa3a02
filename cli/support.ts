// npm run support: sample people for the support desk of a server on this machine.

import { once } from "node:events";
import type { Command } from "commander";
import { commandOf } from "./command.ts";
import { wholeNumber } from "./arguments.ts";
import { DEFAULT_STATE_DIR, withServer } from "./local/server.ts";
import { DESK_SIZE, type DeskSize, fillDeskWhereEmpty, sampleDesk } from "./sample/fill-desk.ts";
import { CUSTOMERS_MIN } from "./sample/generate-desk.ts";

// `generate | head` closes the pipe early, which is not a failure.
process.stdout.on("error", (error) => process.exit("code" in error && error.code === "EPIPE" ? 0 : 1));

const program = commandOf("npm run -s support --").description(
  "Make sample customers, orders and tickets. All people are invented; some tickets contain injected instructions, some " +
    "customers are canaries. There is no --remote, because a deployed server must not hold sample people.",
);

const sized = (command: Command) =>
  command
    .option("--customers <number>", "customers", wholeNumber, DESK_SIZE.customers)
    .option("--seed <number>", "seed", wholeNumber, DESK_SIZE.seed);

sized(program.command("generate"))
  .description('Print a support desk as JSONL, the same for the same seed: one {"kind", "record"} per line.')
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
  .description("Fill the support desk of the local database. npm run dev does the same if it is empty.")
  .option("--state <folder>", "where the local database lives", DEFAULT_STATE_DIR)
  .option("--json", "print the counts as JSON")
  .action(async ({ state: stateDir, json, ...size }: DeskSize & { state: string; json?: boolean }) => {
    const { customers, orders, tickets } = sampleDesk(checked(size));
    const filled = await withServer({ stateDir }, (server) => fillDeskWhereEmpty(server, size));
    if (!filled) {
      program.error(
        "The support desk already has customers, so nothing was changed. Use another --state folder.",
      );
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
    program.error(`--customers must be at least ${CUSTOMERS_MIN}, to include the demo customer.`);
  }
  return size;
}
