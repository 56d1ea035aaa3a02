// import: imports a catalog from a file.

import { commandOf } from "./command.ts";
import { type ImportFlags, runImport } from "./import/command.ts";
import { DEFAULT_STATE_DIR } from "./local/server.ts";

const program = commandOf("import");

program
  .description(
    "Import products from a JSONL or CSV file, gzipped or not, or from standard input (-). Bad rows are reported and skipped. Callers see the old catalog until the import is complete.",
  )
  .argument("<file>", "the file, or - for standard input")
  .option("--format <format>", "jsonl or csv (default: by the file name, else by its first bytes)")
  .option("--map <field=column>", "CSV: the column that holds a field; may be repeated", collect, [])
  .option("--delimiter <character>", "CSV: the character between cells; \\t is a tab", ",")
  .option("--major-prices", "prices are decimals such as 79.99, not minor units")
  .option("--strict", "import nothing if a row is bad")
  .option("--remove-missing", "discontinue products that the file lacks; refuses a file with bad rows")
  .option("--dry-run", "show what would change, and change nothing")
  .option("--remote", "write to the deployed database, through wrangler")
  .option("--json", "print the report as JSON")
  .option("--state <folder>", "where the local database lives", DEFAULT_STATE_DIR)
  .addHelpText(
    "after",
    `
A product: {"sku", "name", "model", "brand", "description", "category", "price", "currency", "gtin",
"image_url", "status", "attributes": {}, "cost", "supplier_id", "stock": [{"warehouse", "quantity"}]}.
sku, name, category, price and currency are required; prices are in minor units (7999 for $79.99).
CSV has a header; attributes.colour is an attribute, stock.east the quantity in a warehouse.`,
  )
  .action(async (file: string, flags: ImportFlags) => {
    process.exitCode = await runImport(file, flags);
  });

await program.parseAsync();

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
