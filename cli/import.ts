// import: imports a catalog from a file.

import { Option } from "commander";
import { commandOf } from "./command.ts";
import { type ImportFlags, runImport } from "./import/command.ts";
import { PRESET_NAMES } from "../src/catalog/import/read/presets/index.ts";
import { DEFAULT_STATE_DIR } from "./local/server.ts";

const program = commandOf("import");

program
  .description(
    "Import products from an export of a shop, or from a file of your own: CSV, TSV, JSONL, JSON or XML, gzipped or not, or standard input (-). Bad rows are reported and skipped. Callers see the old catalog until the import is complete.",
  )
  .argument("<file>", "the file, or - for standard input")
  .addOption(new Option("--from <kind>", "the kind of file (default: by its columns)").choices(PRESET_NAMES))
  .option("--currency <code>", "the currency of prices that name none, such as EUR")
  .option(
    "--set <field=text>",
    "a text for a field that a row leaves empty; {Column} is a cell; may be repeated",
    collect,
    [],
  )
  .option("--map <field=column>", "the column that holds a field; may be repeated", collect, [])
  .option("--major-prices", "prices are in major units, such as 79.99 or 80 dollars")
  .option("--minor-prices", "prices are in minor units, such as 7999 cents")
  .addOption(
    new Option("--decimal <separator>", "the decimal separator of numbers").choices(["point", "comma"]),
  )
  .option("--encoding <name>", "such as utf-8, utf-16le or windows-1252 (default: by the bytes)")
  .option(
    "--format <format>",
    "csv, tsv, jsonl, json or xml (default: by the file name, else by its beginning)",
  )
  .option(
    "--delimiter <character>",
    "CSV: the character between cells; \\t is a tab (default: by the header)",
  )
  .option("--quarantine", "keep out products whose text reads like an instruction to an AI model")
  .option(
    "--yes",
    "apply even if more than 1% of the prices change by over five times, or over half of the products would be discontinued",
  )
  .option("--strict", "import nothing if a row is bad")
  .option("--remove-missing", "discontinue products that the file lacks; refuses a file with bad rows")
  .option("--dry-run", "show what would change, and change nothing")
  .option("--remote", "write to the deployed database, through wrangler")
  .option("--json", "print the report as JSON")
  .option("--state <folder>", "where the local database lives", DEFAULT_STATE_DIR)
  .addHelpText(
    "after",
    `
Exports of Shopify, WooCommerce, Google Merchant and ACP are recognised. In a file of your own, columns and properties are
fields: sku, name, category, price_minor (7999 for $79.99) or price, and currency are required. docs/import.md has the rest.`,
  )
  .action(async (file: string, flags: ImportFlags) => {
    process.exitCode = await runImport(file, flags);
  });

await program.parseAsync();

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
