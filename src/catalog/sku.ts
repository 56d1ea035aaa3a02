import * as z from "zod";
import type { Catalog } from "./repository.ts";
import { plainLine } from "../text/plain-text.ts";
import { refuse } from "../refusal.ts";

export const skuSchema = z.string().overwrite(plainLine).min(1).max(64).describe("A product's exact SKU");

/** Path of the SKUs in unknownSku's hints, for labels: many wrong guesses would list the catalog. */
export const HINTED_SKUS = ["nearest_skus[]"];

/** Refuses with `not_found` and the nearest real SKUs, so that a model corrects itself instead of guessing. */
export async function unknownSku(catalog: Catalog, sku: string) {
  const nearest = await catalog.nearestSkus(sku);
  const help = nearest.length > 0 ? ` Nearest real SKUs: ${nearest.join(", ")}.` : "";
  return refuse("not_found", `No product has the SKU "${sku}".${help}`, {
    hints: { nearest_skus: nearest },
    missing: [sku],
  });
}
