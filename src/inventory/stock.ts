import * as z from "zod";
import { availabilitySchema } from "../catalog/availability.ts";

/** A product's stock, as callers may see it. */
export const stockSchema = z.strictObject({
  sku: z.string(),
  status: z.enum(["active", "discontinued"]),
  availability: availabilitySchema,
  available_from: z.string().optional(),
  stock: z
    .int()
    .nullable()
    .describe("Units on hand in all warehouses; 0 for a discontinued product; null if no quantity is known"),
  available: z.int().nullable().describe("Units that no reservation holds"),
  warehouses: z.array(
    z.strictObject({
      warehouse: z.string(),
      quantity: z.int(),
      available: z.int(),
      version: z.int(),
    }),
  ),
});
export type Stock = z.output<typeof stockSchema>;
