import type { D1Database } from "@cloudflare/workers-types";
import * as z from "zod";
import type { ChangeDraft } from "../changes/change.ts";
import { isStored, storeChange } from "../changes/statements.ts";
import { applyLines, joinStock, versionOf } from "../catalog/stock-statements.ts";
import { runBatch } from "../database/run-batch.ts";

/** An absolute quantity that another system states, with its place in that system's order of changes. */
export interface StatedQuantity {
  sku: string;
  warehouse: string;
  quantity: number;
  sequence: number;
}

/** The result of a delivery. Quantities that are neither applied nor unknown were stated before, or overtaken. */
export interface Delivered {
  change_id: string | null;
  applied: number;
  ignored: number;
  unknown_skus: string[];
}

/** SQL for the stated quantities `l`, which stand at `place`, with their products and the sequences before. */
const statedAt = (
  place: string,
): string => `json_each(${place}) l JOIN products p ON p.sku = l.value ->> 'sku'
  LEFT JOIN stock_sequences q ON q.product_id = p.id AND q.warehouse = l.value ->> 'warehouse'`;
const IS_NEWER = "l.value ->> 'sequence' > coalesce(q.sequence, -1)";
const WAREHOUSE = "l.value ->> 'warehouse'";

/**
 * Applies the quantities whose sequence number is greater than any before of their product and warehouse, and none of the
 * others. One that is applied counts as a touch even if it states the quantity that is there.
 */
export async function deliverStock(
  db: D1Database,
  draft: ChangeDraft,
  stated: readonly StatedQuantity[],
): Promise<Delivered> {
  const json = JSON.stringify(latestOf(stated));
  const joins = statedAt("?2");
  const rows = await runBatch(db, [
    storeChange(draft, `EXISTS (SELECT 1 FROM ${statedAt("?9")} WHERE ${IS_NEWER})`, [json]),
    {
      sql: `INSERT OR IGNORE INTO stock_changes (change_id, product_id, warehouse, before, after, version)
        SELECT ?1, p.id, ${WAREHOUSE}, s.quantity, l.value ->> 'quantity', ${versionOf("s", "d")} + 1
        FROM ${joins} ${joinStock("p.id", WAREHOUSE)} WHERE ${IS_NEWER} AND ${isStored("?1")}`,
      values: [draft.id, json],
    },
    ...applyLines(draft.id),
    {
      sql: `INSERT INTO stock_sequences (product_id, warehouse, sequence)
        SELECT p.id, ${WAREHOUSE}, l.value ->> 'sequence' FROM ${joins} WHERE ${IS_NEWER} AND ${isStored("?1")}
        ON CONFLICT (product_id, warehouse) DO UPDATE SET sequence = excluded.sequence`,
      values: [draft.id, json],
    },
    { sql: "SELECT count(*) AS applied FROM stock_changes WHERE change_id = ?1", values: [draft.id] },
    {
      sql: `SELECT DISTINCT l.value ->> 'sku' AS sku FROM json_each(?1) l
        WHERE NOT EXISTS (SELECT 1 FROM products p WHERE p.sku = l.value ->> 'sku')`,
      values: [json],
    },
  ]);
  const [{ applied }] = z.tuple([z.object({ applied: z.int() })]).parse(rows.at(-2));
  const unknown = new Set(
    z
      .array(z.object({ sku: z.string() }))
      .parse(rows.at(-1))
      .map(({ sku }) => sku),
  );
  const known = stated.filter(({ sku }) => !unknown.has(sku)).length;
  return {
    change_id: applied === 0 ? null : draft.id,
    applied,
    ignored: known - applied,
    unknown_skus: [...unknown],
  };
}

/** Keeps the last of several quantities of one place. */
function latestOf(stated: readonly StatedQuantity[]): StatedQuantity[] {
  const latest = new Map<string, StatedQuantity>();
  for (const each of stated) {
    const place = JSON.stringify([each.sku, each.warehouse]);
    const other = latest.get(place);
    if (other === undefined || other.sequence < each.sequence) latest.set(place, each);
  }
  return [...latest.values()];
}
