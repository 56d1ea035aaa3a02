import type { D1Database } from "@cloudflare/workers-types";
import * as z from "zod";
import { availabilityColumns, availabilityOf } from "../catalog/availability.ts";
import type { Stock } from "./stock.ts";

const rowSchema = z.object({
  status: availabilityColumns.status,
  availability: availabilityColumns.availability,
  available_from: availabilityColumns.available_from,
  sku: z.string(),
  group_key: z.string().nullable(),
  warehouse: z.string().nullable(),
  quantity: z.int().nullable(),
});

/** A product's stock, and the id under which the product counts: all variants of a group are one. */
export interface CountedStock {
  stock: Stock;
  countsAs: string;
}

/** Everything that callers may read about stock. Only this file holds SQL over it. */
export interface Inventory {
  /** Returns stock in the order of `skus`; unknown ones are left out. */
  stock(skus: string[]): Promise<CountedStock[]>;
}

export function createInventory(db: D1Database): Inventory {
  return {
    async stock(skus) {
      const { results } = await db
        .prepare(
          `SELECT p.sku, p.status, p.availability, p.available_from, g.key AS group_key,
             s.warehouse, s.quantity
           FROM json_each(?) wanted JOIN products p ON p.sku = wanted.value
           LEFT JOIN product_groups g ON g.id = p.group_id
           LEFT JOIN stock s ON s.product_id = p.id AND p.status = 'active'
           ORDER BY wanted.key, s.warehouse`,
        )
        .bind(JSON.stringify([...new Set(skus)]))
        .all();
      const bySku = Map.groupBy(z.array(rowSchema).parse(results), ({ sku }) => sku);
      return [...bySku.values()].flatMap(toStock);
    },
  };
}

/** `rows` are one product's: one for each warehouse, or one without a warehouse. */
function toStock(rows: readonly z.output<typeof rowSchema>[]): CountedStock[] {
  const [product] = rows;
  if (product === undefined) return [];
  const { sku, status, available_from, group_key } = product;
  const warehouses = rows.flatMap(({ warehouse, quantity }) =>
    warehouse === null || quantity === null ? [] : [{ warehouse, quantity }],
  );
  const units = warehouses.reduce((sum, { quantity }) => sum + quantity, 0);
  const isKnown = status === "discontinued" || warehouses.length > 0;
  const availability = availabilityOf({ ...product, stocked: isKnown ? Number(units > 0) : null });
  const stock: Stock = {
    sku,
    status,
    availability,
    ...(available_from !== null && { available_from }),
    stock: isKnown ? units : null,
    warehouses,
  };
  return [{ stock, countsAs: group_key ?? sku }];
}
