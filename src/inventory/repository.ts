import type { D1Database } from "@cloudflare/workers-types";
import * as z from "zod";
import type { Stock } from "./stock.ts";

const rowSchema = z.object({
  sku: z.string(),
  status: z.enum(["active", "discontinued"]),
  warehouse: z.string().nullable(),
  quantity: z.int().nullable(),
});

/** Everything that callers may read about stock. Only this file holds SQL over it. */
export interface Inventory {
  /** Returns stock in the order of `skus`; unknown ones are left out. */
  stock(skus: string[]): Promise<Stock[]>;
}

export function createInventory(db: D1Database): Inventory {
  return {
    async stock(skus) {
      const { results } = await db
        .prepare(
          `SELECT p.sku, p.status, s.warehouse, s.quantity
           FROM json_each(?) wanted JOIN products p ON p.sku = wanted.value
           LEFT JOIN stock s ON s.product_id = p.id AND p.status = 'active'
           ORDER BY wanted.key, s.warehouse`,
        )
        .bind(JSON.stringify([...new Set(skus)]))
        .all();
      const bySku = new Map<string, Stock>();
      for (const { sku, status, warehouse, quantity } of z.array(rowSchema).parse(results)) {
        const entry: Stock = bySku.get(sku) ?? { sku, status, stock: 0, warehouses: [] };
        bySku.set(sku, entry);
        if (warehouse === null || quantity === null) continue;
        entry.stock += quantity;
        entry.warehouses.push({ warehouse, quantity });
      }
      return [...bySku.values()];
    },
  };
}
