import * as z from "zod";
import { joinStock, versionOf } from "../catalog/stock-statements.ts";
import type { Statement } from "../database/statement.ts";
import type { Place } from "./plan.ts";

/**
 * SQL for the units that reservations hold of a product in a warehouse at a time, in milliseconds since the epoch; `but` is
 * the id of one that does not count, or NULL.
 */
export const heldAt = (productId: string, warehouse: string, at: string, but = "NULL"): string =>
  `(SELECT coalesce(sum(h.quantity), 0) FROM holds h WHERE h.product_id = ${productId}
    AND h.warehouse = ${warehouse} AND h.expires_at > ${at} AND h.reservation_id IS NOT ${but})`;

const placeRow = z.object({
  product_id: z.int().nullable(),
  sku: z.string(),
  status: z.enum(["active", "discontinued"]).nullable(),
  warehouse: z.string(),
  is_known: z.int(),
  quantity: z.int().nullable(),
  version: z.int(),
  held: z.int(),
});

/** One row of `selectPlaces`: `place` is undefined if there is no such product. */
export interface WantedPlace {
  sku: string;
  warehouse: string;
  /** Whether the warehouse ever had stock of any product. */
  isKnown: boolean;
  place: Place | undefined;
}

/** Selects places in the order of `wanted`. */
export const selectPlaces = (
  wanted: readonly { sku: string; warehouse: string }[],
  now: number,
): Statement => ({
  sql: `SELECT p.id AS product_id, w.value ->> 'sku' AS sku, p.status, w.value ->> 'warehouse' AS warehouse,
      EXISTS (SELECT 1 FROM warehouses k WHERE k.name = w.value ->> 'warehouse') AS is_known,
      s.quantity, ${versionOf("s", "d")} AS version, ${heldAt("p.id", "w.value ->> 'warehouse'", "?2")} AS held
    FROM json_each(?1) w LEFT JOIN products p ON p.sku = w.value ->> 'sku'
    ${joinStock("p.id", "w.value ->> 'warehouse'")} ORDER BY w.key`,
  values: [JSON.stringify(wanted.map(({ sku, warehouse }) => ({ sku, warehouse }))), now],
});

/** Selects the units of all products in all warehouses. */
export const selectUnits: Statement = { sql: "SELECT total(units) AS units FROM warehouses", values: [] };
export const unitsIn = (rows: unknown): number =>
  z.tuple([z.object({ units: z.number() })]).parse(rows)[0].units;

export const placesIn = (rows: unknown): WantedPlace[] =>
  z
    .array(placeRow)
    .parse(rows)
    .map(({ product_id, sku, status, warehouse, is_known, quantity, version, held }) => ({
      sku,
      warehouse,
      isKnown: is_known === 1,
      place:
        product_id === null || status === null
          ? undefined
          : { product_id, sku, status, warehouse, quantity, version, held },
    }));
