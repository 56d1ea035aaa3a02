import * as z from "zod";
import type { Statement } from "../../database/statement.ts";
import { clip, plainLine } from "../../text/plain-text.ts";

// The table `flagged_texts`: products whose text reads like an instruction to the model that receives it, as the last import of
// each product found it.

/** Products that one import keeps. */
export const FLAGGED_KEPT = 500;
const EXCERPT_MAX = 200;
const FIELD_MAX = 100;
/** Rows of one statement: D1 accepts statements of 100 KB. */
const CHUNK = 100;

export const flaggedSchema = z.object({
  sku: z.string(),
  line: z.int(),
  field: z.string(),
  excerpt: z.string(),
});
/** A product whose text reads like an instruction, by its line or its place in the file. */
export type Flagged = z.output<typeof flaggedSchema>;

/** Stages what an import found. Run it before the import is applied. */
export function stageFlagged(
  importId: string,
  found: readonly Flagged[],
  { keptOut, now }: { keptOut: boolean; now: number },
): Statement[] {
  const rows = found.slice(0, FLAGGED_KEPT).map(({ excerpt, field, ...row }) => ({
    ...row,
    field: clip(plainLine(field), FIELD_MAX),
    excerpt: clip(plainLine(excerpt), EXCERPT_MAX),
  }));
  const chunks = Array.from({ length: Math.ceil(rows.length / CHUNK) }, (_, at) =>
    rows.slice(at * CHUNK, (at + 1) * CHUNK),
  );
  return chunks.map((chunk) => ({
    sql: `INSERT OR REPLACE INTO flagged_texts (sku, import_id, found_at, line, field, excerpt, kept_out)
      SELECT value ->> 'sku', ?1, ?2, value ->> 'line', value ->> 'field', value ->> 'excerpt', ?3 FROM json_each(?4)`,
    values: [importId, now, keptOut ? 1 : 0, JSON.stringify(chunk)],
  }));
}

/** Publishes what an import found. Run it in the transaction that applies the import, while its rows are staged. */
export const publishFlagged = (importId: string): Statement[] => [
  {
    sql: `DELETE FROM flagged_texts AS f WHERE import_id <> ?1 AND (
      EXISTS (SELECT 1 FROM import_rows WHERE import_id = ?1 AND sku = f.sku)
      OR EXISTS (SELECT 1 FROM flagged_texts WHERE import_id = ?1 AND sku = f.sku))`,
    values: [importId],
  },
  { sql: "UPDATE flagged_texts SET live = 1 WHERE import_id = ?1", values: [importId] },
];

/** Forgets what an import found that was not applied. */
export const dropFlagged = (importId: string): Statement => ({
  sql: "DELETE FROM flagged_texts WHERE import_id = ?1 AND live = 0",
  values: [importId],
});

/** Forgets what imports found that were never finished. */
export const dropLostFlagged: Statement = {
  sql: "DELETE FROM flagged_texts WHERE live = 0 AND import_id NOT IN (SELECT id FROM imports)",
  values: [],
};
