import { parse } from "csv-parse/sync";
import * as z from "zod";
import { checkRows } from "../../src/catalog/import/read/check-rows.ts";
import { openSource } from "../../cli/import/open-source.ts";
import { type Row, readJsonl } from "../../src/catalog/import/read/read-jsonl.ts";
import { readText } from "../../cli/read-file.ts";
import type { ProductRecord } from "../../src/catalog/import/record.ts";

// Reads the files of an evaluation. Leaving bad rows out would change a figure unnoticed, so the first of them are
// named in an Error.

/** Graded judgments of one query: SKU to grade, 0 to 3. */
export type Grades = ReadonlyMap<string, number>;
export type Judged = [query: string, grades: Grades];

const GRADE = "grade is not 0, 1, 2 or 3";
const rowSchema = z.object({
  query: z.string("query is missing").trim().min(1, "query is empty"),
  sku: z.string("sku is missing").min(1, "sku is empty"),
  grade: z
    .string("grade is missing")
    .regex(/^[0-3]$/, GRADE)
    .transform(Number),
});
const fileSchema = z.array(
  z.object({ info: z.object({ lines: z.int() }), record: z.record(z.string(), z.string()) }),
);

/** Returns the judged queries of a CSV file that have a positive grade; NDCG is undefined for the others. */
export async function readJudgments(file: string): Promise<Judged[]> {
  const byQuery = new Map<string, Map<string, number>>();
  const bad: BadRow[] = [];
  for (const { info, record } of readCsv(file, await readText(file))) {
    const parsed = rowSchema.safeParse(record);
    if (!parsed.success) {
      bad.push({ line: info.lines, problem: parsed.error.issues.map(({ message }) => message).join("; ") });
      continue;
    }
    const { query, sku, grade } = parsed.data;
    const grades = byQuery.get(query) ?? new Map<string, number>();
    if (grades.has(sku)) bad.push({ line: info.lines, problem: `${sku} is already judged for this query` });
    byQuery.set(query, grades.set(sku, grade));
  }
  refuse(file, bad);
  const judged = [...byQuery].filter(([, grades]) => [...grades.values()].some((grade) => grade > 0));
  if (judged.length === 0) throw new Error(`${file} has no query with a grade above 0.`);
  return judged;
}

function readCsv(file: string, text: string) {
  let columns: string[] = [];
  const noted = (header: string[]) => (columns = header);
  const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true, columns: noted };
  let rows;
  try {
    rows = fileSchema.parse(parse(text, options));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${file} is not CSV: ${why}`, { cause: error });
  }
  const missing = Object.keys(rowSchema.shape).filter((name) => !columns.includes(name));
  if (missing.length === 0) return rows;
  throw new Error(`${file}, line 1: no column ${missing.join(", ")}. Judgments need query, sku and grade.`);
}

/** Throws if no judged SKU is a product: every query would score 0, whatever search finds. */
export function checkJudgedSkus(judged: readonly Judged[], products: readonly { sku: string }[]): void {
  const skus = new Set(products.map(({ sku }) => sku));
  if (!judged.some(([, grades]) => [...grades.keys()].some((sku) => skus.has(sku))))
    throw new Error("None of the judged SKUs is among the products. Check that the files belong together.");
}

/** Reads the products of a JSONL file, gzipped or not. */
export async function readProducts(file: string): Promise<ProductRecord[]> {
  const products: ProductRecord[] = [];
  const bad: BadRow[] = [];
  for await (const row of checkRows(inMinorUnits(readJsonl((await openSource(file)).bytes)))) {
    if ("record" in row) products.push(row.record);
    else bad.push(row);
  }
  refuse(file, bad);
  if (products.length === 0) throw new Error(`${file} contains no product.`);
  return products;
}

/** Renames `price` and `cost`, by which earlier files called their prices in minor units. */
async function* inMinorUnits(rows: AsyncIterable<Row>): AsyncGenerator<Row> {
  for await (const row of rows) yield "value" in row ? { ...row, value: renamed(row.value) } : row;
}

function renamed(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("price" in value)) return value;
  const { price, ...rest } = value;
  const { cost, ...others } = "cost" in rest ? rest : { ...rest, cost: undefined };
  return { price_minor: price, cost_minor: cost, ...others };
}

interface BadRow {
  line: number;
  problem: string;
}
const SHOWN = 10;

function refuse(file: string, rows: readonly BadRow[]): void {
  if (rows.length === 0) return;
  const named = rows.slice(0, SHOWN).map(({ line, problem }) => `${file}, line ${line}: ${problem}`);
  const more = rows.length > SHOWN ? [`${file}: ${rows.length - SHOWN} more bad rows`] : [];
  throw new Error([...named, ...more].join("\n"));
}
