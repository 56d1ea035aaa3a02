// lab sample: prints sample products, or a sample support desk.

import { once } from "node:events";
import { wholeNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { DESK_SIZE, type DeskSize, sampleDesk } from "../cli/sample/demo-data.ts";
import { CUSTOMERS_MIN } from "../cli/sample/generate-desk.ts";
import { generateProducts } from "../cli/sample/generate.ts";

const program = commandOf("lab sample").description(
  "Print made-up data as JSON Lines, the same for the same seed. npm run dev fills an empty database with it.",
);

program
  .command("products")
  .description("Print products, as import reads them.")
  .option("--count <number>", "products", wholeNumber, 400)
  .option("--seed <number>", "seed", wholeNumber, 1)
  .action(({ count, seed }: { count: number; seed: number }) => print(generateProducts(count, seed)));

program
  .command("desk")
  .description(
    'Print a support desk: one {"kind", "record"} per line. Some tickets contain injected instructions, some customers are canaries.',
  )
  .option("--customers <number>", "customers", wholeNumber, DESK_SIZE.customers)
  .option("--seed <number>", "seed", wholeNumber, DESK_SIZE.seed)
  .action(async (size: DeskSize) => {
    if (size.customers < CUSTOMERS_MIN)
      program.error(`--customers must be at least ${CUSTOMERS_MIN}, to include the demo customer.`);
    const { customers, orders, tickets } = sampleDesk(size);
    const lines = { customer: customers, order: orders, ticket: tickets };
    for (const [kind, records] of Object.entries(lines))
      await print(records.map((record) => ({ kind, record })));
  });

await program.parseAsync();

async function print(rows: Iterable<unknown>): Promise<void> {
  for (const row of rows)
    if (!process.stdout.write(`${JSON.stringify(row)}\n`)) await once(process.stdout, "drain");
}
