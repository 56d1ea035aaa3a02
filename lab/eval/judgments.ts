import { parse } from "csv-parse/sync";
import * as z from "zod";
import { readText } from "../../cli/read-file.ts";
import { type BadRow, refuseBadRows } from "./bad-rows.ts";
import type { Grades } from "./ndcg.ts";

const COLUMNS = ["query", "sku", "grade"];
const GRADE = "grade is not 0, 1, 2 or 3";

const fileSchema = z.array(z.object({ info: z.object({ lines: z.int() }), record: z.array(z.string()) }));
const rowSchema = z.object({
  query: z.string("query is missing").trim().min(1, "query is empty"),
  sku: z.string("sku is missing").min(1, "sku is empty"),
  grade: z
    .string("grade is missing")
    .regex(/^[0-3]$/, GRADE)
    .transform(Number),
});

/**
 * Returns the judged queries that have a positive grade; NDCG is undefined for the others. Throws an Error
 * that names the bad rows, or says that there is no such query.
 */
export async function readJudgments(file: string): Promise<[query: string, grades: Grades][]> {
  const [header, ...rows] = readCsv(file, await readText(file));
  const columns = header?.record ?? [];
  const missing = COLUMNS.filter((name) => !columns.includes(name));
  if (missing.length > 0)
    throw new Error(`${file}, line 1: no column ${missing.join(", ")}. Judgments need query, sku and grade.`);

  const byQuery = new Map<string, Map<string, number>>();
  const bad: BadRow[] = [];
  for (const { info, record } of rows) {
    const cells = Object.fromEntries(columns.map((name, index) => [name, record[index]]));
    const parsed = rowSchema.safeParse(cells);
    if (!parsed.success) {
      bad.push({ line: info.lines, problem: parsed.error.issues.map(({ message }) => message).join("; ") });
      continue;
    }
    const { query, sku, grade } = parsed.data;
    const grades = byQuery.get(query) ?? new Map<string, number>();
    if (grades.has(sku)) bad.push({ line: info.lines, problem: `${sku} is already judged for this query` });
    byQuery.set(query, grades.set(sku, grade));
  }
  refuseBadRows(file, bad);
  const judged = [...byQuery].filter(([, grades]) => [...grades.values()].some((grade) => grade > 0));
  if (judged.length === 0) throw new Error(`${file} has no query with a grade above 0.`);
  return judged;
}

/** Throws if no judged SKU is a product: every query would score 0, whatever search finds. */
export function checkJudgedSkus(
  judged: readonly [query: string, grades: Grades][],
  products: readonly { sku: string }[],
): void {
  const skus = new Set(products.map(({ sku }) => sku));
  const isKnown = judged.some(([, grades]) => [...grades.keys()].some((sku) => skus.has(sku)));
  if (!isKnown)
    throw new Error("None of the judged SKUs is among the products. Check that the files belong together.");
}

function readCsv(file: string, text: string) {
  try {
    const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true };
    return fileSchema.parse(parse(text, options));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${file} is not CSV: ${why}`, { cause: error });
  }
}
