import { parse } from "csv-parse/sync";
import * as z from "zod";
import { readText } from "../read-file.ts";
import type { Grades } from "./ndcg.ts";

const rowsSchema = z.array(
  z.object({ query: z.string(), sku: z.string(), grade: z.coerce.number().int().min(0).max(3) }),
);

/** The judged queries that have a positive grade; over the others NDCG is not defined. */
export async function readJudgments(file: string): Promise<[query: string, grades: Grades][]> {
  const { data: rows } = rowsSchema.safeParse(readRows(await readText(file)));
  if (rows === undefined)
    throw new Error(`${file} is not judgments: CSV with query, sku and grade (0 to 3).`);
  const byQuery = new Map<string, Map<string, number>>();
  for (const { query, sku, grade } of rows) {
    byQuery.set(query, (byQuery.get(query) ?? new Map<string, number>()).set(sku, grade));
  }
  return [...byQuery].filter(([, grades]) => [...grades.values()].some((grade) => grade > 0));
}

/** Undefined where it is not CSV. */
function readRows(text: string): unknown {
  try {
    return parse(text, { bom: true, columns: true, skip_empty_lines: true });
  } catch {
    return undefined;
  }
}
