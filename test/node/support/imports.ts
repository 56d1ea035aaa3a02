import { writeFile } from "node:fs/promises";
import * as z from "zod";
import type { LocalServer } from "../../../cli/local/server.ts";
import { type productFields, productRecordSchema } from "../../../src/catalog/import/record.ts";
import { type Ended, type Running, type StartOptions, startCommand } from "./processes.ts";
import { type RunOptions, runCommand } from "./run-command.ts";

/** One valid product; a test changes the fields it is about. */
export function product(changes: Partial<z.input<typeof productFields>> & { sku: string }) {
  return productRecordSchema.parse({
    name: "Wireless Keyboard",
    model: "KB-1",
    brand: "Voltway",
    description: "Full-size.",
    category: "Electronics",
    price_minor: 7999,
    currency: "USD",
    cost_minor: 4000,
    supplier_id: "S-1",
    attributes: { layout: "US" },
    stock: [{ warehouse: "east", quantity: 3 }],
    ...changes,
  });
}

export const jsonl = (rows: Iterable<unknown>) => Array.from(rows, (row) => JSON.stringify(row)).join("\n");

const reportSchema = z.object({
  rows: z.int(),
  bad: z.int(),
  resumedAfter: z.int(),
  applied: z.boolean(),
  comparison: z.object({ added: z.int(), changed: z.int(), unchanged: z.int(), missing: z.int() }).optional(),
  asks: z.array(z.enum(["shrunk", "prices"])),
  notes: z.record(z.string(), z.int()),
  suspicious: z.object({ count: z.int(), shown: z.array(z.object({ line: z.int(), sku: z.string() })) }),
  examples: z.array(z.string()),
  bad_rows: z.array(z.object({ line: z.int(), problem: z.string() })),
  error: z.object({ message: z.string() }).optional(),
});
export type Report = z.output<typeof reportSchema>;
export const readReport = ({ stdout }: Ended): Report => reportSchema.parse(JSON.parse(stdout));

export function startImport(state: string, args: string[], options?: StartOptions): Running {
  return startCommand("import", ["--state", state, ...args], options);
}

export const runImport = (state: string, args: string[], options?: RunOptions): Promise<Ended> =>
  runCommand("import", ["--state", state, ...args], options);

/** Imports a file with these contents, and reads the report. */
export async function importFile(
  state: string,
  file: string,
  contents: string | Uint8Array,
  ...flags: string[]
) {
  await writeFile(file, contents);
  const ended = await runImport(state, [file, "--json", ...flags]);
  return { ...ended, report: readReport(ended) };
}

/** Fills the catalog without starting a command: the same code, a second faster. */
export { importRecords as seed } from "../../../cli/import/import-records.ts";

/** Reads everything that an import may change. */
export async function snapshot(server: LocalServer) {
  const [products, internals, stock, words, categories, state] = await query(
    server,
    "SELECT * FROM products ORDER BY id",
    "SELECT * FROM product_internals ORDER BY product_id",
    "SELECT * FROM stock ORDER BY product_id, warehouse",
    "SELECT * FROM product_words ORDER BY product_id",
    "SELECT * FROM categories ORDER BY id",
    "SELECT * FROM catalog_state",
  );
  return { products, internals, stock, words, categories, state };
}

export function query(server: LocalServer, ...statements: string[]) {
  return server.batch(statements.map((sql) => ({ sql, values: [] })));
}

export async function count(server: LocalServer, table: string): Promise<number> {
  const [[row] = []] = await query(server, `SELECT count(*) AS n FROM ${table}`);
  return z.object({ n: z.int() }).parse(row).n;
}

/** Empties the catalog; categories keep their names. */
export async function emptyCatalog(server: LocalServer): Promise<void> {
  await query(
    server,
    "DELETE FROM products",
    "DELETE FROM imports",
    "UPDATE catalog_state SET changed_at = NULL",
  );
}
