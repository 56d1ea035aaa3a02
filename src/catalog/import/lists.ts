import * as z from "zod";
import { flaggedSchema } from "./flagged.ts";
import { badRowSchema, countsSchema, endedSchema } from "./history.ts";
import { jsonText } from "../../database/json-text.ts";
import { type Page, type Position, pageOf } from "../../database/page.ts";

// The last imports and what they found, as the dashboard lists them.

interface Wanted {
  after: Position | undefined;
  size: number;
}

const historyRow = endedSchema.extend({
  seq: z.int(),
  counts: jsonText.pipe(countsSchema),
  bad_rows: jsonText.pipe(z.array(badRowSchema)),
});
/** An import as the dashboard lists it. */
export type ListedImport = z.output<typeof historyRow>;

/** Returns a page of imports, the latest first. */
export async function pageOfImports(db: D1Database, { after, size }: Wanted): Promise<Page<ListedImport>> {
  const { results } = await db
    .prepare("SELECT * FROM import_history WHERE ?1 IS NULL OR seq < ?1 ORDER BY seq DESC LIMIT ?2")
    .bind(after?.[0] ?? null, size + 1)
    .all();
  return pageOf(historyRow.array().parse(results), size, ({ seq }) => [seq, 0]);
}

const flaggedRow = flaggedSchema.extend({
  found_at: z.int(),
  kept_out: z.int(),
  /** Null if the catalog has no such product. */
  name: z.string().nullable(),
});
/** A flagged product as the dashboard lists it. */
export type ListedFlagged = z.output<typeof flaggedRow>;

/** Returns a page of flagged products, the latest first. */
export async function pageOfFlagged(
  db: D1Database,
  { after = [Number.MAX_SAFE_INTEGER, ""], size }: Wanted,
): Promise<Page<ListedFlagged>> {
  const { results } = await db
    .prepare(
      `SELECT f.*, (SELECT name FROM products p WHERE p.sku = f.sku) AS name FROM flagged_texts f
       WHERE live = 1 AND (found_at, sku) < (?1, ?2) ORDER BY found_at DESC, sku DESC LIMIT ?3`,
    )
    .bind(...after, size + 1)
    .all();
  return pageOf(flaggedRow.array().parse(results), size, ({ found_at, sku }) => [found_at, sku]);
}
