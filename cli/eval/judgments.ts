import { readFile } from "node:fs/promises";
import { parse } from "csv-parse/sync";
import * as z from "zod";
import type { Grades } from "./ndcg.ts";

const rowsSchema = z.array(
  z.object({ query: z.string(), sku: z.string(), grade: z.coerce.number().int().min(0).max(3) }),
);

/** The judged queries that have a positive grade; over the others NDCG is not defined. */
export async function readJudgments(file: string): Promise<[query: string, grades: Grades][]> {
  const rows = rowsSchema.parse(
    parse(await readFile(file), { bom: true, columns: true, skip_empty_lines: true }),
  );
  const byQuery = new Map<string, Map<string, number>>();
  for (const { query, sku, grade } of rows) {
    byQuery.set(query, (byQuery.get(query) ?? new Map<string, number>()).set(sku, grade));
  }
  return [...byQuery].filter(([, grades]) => [...grades.values()].some((grade) => grade > 0));
}
