// npm run catalog: make and import catalogs.

import { once } from "node:events";
import { Command, InvalidArgumentError } from "commander";
import { generateProducts } from "./sample/generate.ts";

const program = new Command("npm run -s catalog --")
  .description("Make and import catalogs.")
  .helpOption("-h, --help", "show this help");

program
  .command("generate")
  .description("Print a plausible catalog as JSONL, the same for the same seed.")
  .option("--count <number>", "products", wholeNumber, 400)
  .option("--seed <number>", "seed", wholeNumber, 1)
  .action(async ({ count, seed }: { count: number; seed: number }) => {
    for (const product of generateProducts(count, seed)) {
      if (!process.stdout.write(`${JSON.stringify(product)}\n`)) await once(process.stdout, "drain");
    }
  });

await program.parseAsync();

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("Not a whole number.");
  return value;
}
