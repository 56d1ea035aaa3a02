import * as z from "zod";
import { productResource } from "../resources/product.ts";
import type { Completer } from "../resources/resource.ts";
import { skuSchema } from "../catalog/sku.ts";

/** SKUs in one string, separated by commas, because prompt arguments are strings. */
export const skuListSchema = (min: number, max: number) =>
  z
    .string()
    .max(1_000)
    .transform((list) => [...new Set(list.split(",").map((sku) => sku.trim()))].filter((sku) => sku !== ""))
    .pipe(z.array(skuSchema).min(min).max(max));

/** Completes the last SKU of the list and keeps those before it. */
export const completeSkuList: Completer = async (typed, context, limit) => {
  const [, before = "", last = ""] = /^(.*,\s*)?([^,]*)$/s.exec(typed) ?? [];
  return { ...(await productResource.complete(last, context, limit)), before };
};
