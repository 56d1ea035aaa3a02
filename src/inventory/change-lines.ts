import * as z from "zod";
import { isStored, storeChange } from "../changes/statements.ts";
import type { ChangeDraft } from "../changes/change.ts";
import { applyLines, joinStock, versionOf } from "../catalog/stock-statements.ts";
import type { Statement } from "../database/statement.ts";
import { heldAt } from "./places.ts";
import type { StockPlan } from "./plan.ts";

/** SQL for whether a reservation is in force at the time ?7 of a change. */
const IN_FORCE = "state = 'held' AND expires_at > ?7";

/** SQL for one value of a line, of `json_each(...) l`. */
const value = (name: string): string => `l.value ->> '${name}'`;

/**
 * The batch that applies a plan. Its first statement stores the change if every place still has the version that the plan was
 * made for and no hold would be broken; the others depend on it. A commit passes its `reservation`, which must be in force
 * and whose own hold it may use.
 */
export function applyPlan(draft: ChangeDraft, { lines }: StockPlan, reservation?: string): Statement[] {
  const json = JSON.stringify(lines);
  const lessens = `coalesce(${value("after")}, 0) < coalesce(${value("before")}, 0)`;
  const held = heldAt(value("product_id"), value("warehouse"), "?7", "?10");
  const isStale = `SELECT 1 FROM json_each(?9) l ${joinStock(value("product_id"), value("warehouse"))}
    WHERE ${versionOf("s", "d")} <> ${value("found")} OR (${lessens} AND ${held} > coalesce(${value("after")}, 0))`;
  const isInForce = `(?10 IS NULL OR EXISTS (SELECT 1 FROM reservations WHERE id = ?10 AND ${IN_FORCE}))`;
  return [
    storeChange(draft, `NOT EXISTS (${isStale}) AND ${isInForce}`, [json, reservation ?? null]),
    {
      sql: `INSERT OR IGNORE INTO stock_changes (change_id, product_id, warehouse, before, after, version)
        SELECT ?1, ${["product_id", "warehouse", "before", "after", "version"].map(value).join(", ")}
        FROM json_each(?2) l WHERE ${isStored("?1")}`,
      values: [draft.id, json],
    },
    ...applyLines(draft.id),
  ];
}

/** A line of an applied change. */
const lineRow = z.object({
  change_id: z.string(),
  product_id: z.int(),
  sku: z.string(),
  warehouse: z.string(),
  before: z.int().nullable(),
  after: z.int().nullable(),
  version: z.int(),
});
export type StoredLine = z.output<typeof lineRow>;

/** Selects the lines of changes; `ids` is SQL for a list of their ids. */
export const selectLines = (ids: string, values: Statement["values"]): Statement => ({
  sql: `SELECT l.change_id, l.product_id, p.sku, l.warehouse, l.before, l.after, l.version
    FROM stock_changes l JOIN products p ON p.id = l.product_id
    WHERE l.change_id IN (${ids}) ORDER BY l.change_id, p.sku, l.warehouse`,
  values,
});

export const linesIn = (rows: unknown): StoredLine[] => z.array(lineRow).parse(rows);
