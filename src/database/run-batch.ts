import type { Queries } from "./copies.ts";
import type { Statement } from "./statement.ts";

/** Runs statements as one round trip and one transaction. Returns the rows of each. */
export async function runBatch(db: Queries, statements: readonly Statement[]): Promise<unknown[][]> {
  // D1 rejects an empty batch.
  if (statements.length === 0) return [];
  const answers = await db.batch(statements.map(({ sql, values }) => db.prepare(sql).bind(...values)));
  return answers.map(({ results }) => results);
}
