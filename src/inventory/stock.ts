import * as z from "zod";

/** A product's stock, as callers may see it. */
export const stockSchema = z.strictObject({
  sku: z.string(),
  status: z.enum(["active", "discontinued"]),
  stock: z.int().describe("Units on hand in all warehouses; 0 for a discontinued product"),
  warehouses: z.array(z.strictObject({ warehouse: z.string(), quantity: z.int() })),
});
export type Stock = z.output<typeof stockSchema>;
