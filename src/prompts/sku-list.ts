import * as z from "zod";
import { type Outcome, ok } from "../refusal.ts";
import { productResource } from "../resources/product.ts";
import type { Completer } from "../resources/resource.ts";
import type { CallContext } from "../call-context.ts";
import { skuSchema } from "../catalog/sku.ts";
import type { PromptContent } from "./prompt.ts";

/** SKUs in one string, separated by commas: prompt arguments are strings. */
export const skuListSchema = (min: number, max: number) =>
  z
    .string()
    .max(1_000)
    .transform((list) => [...new Set(list.split(",").map((sku) => sku.trim()))].filter((sku) => sku !== ""))
    .pipe(z.array(skuSchema).min(min).max(max));

/** Completes the last SKU of the list and keeps those before it. */
export const completeSkuList: Completer = async (typed, context, limit) => {
  const [, before = "", last = ""] = /^(.*,\s*)?([^,]*)$/s.exec(typed) ?? [];
  const skus = await productResource.complete(last, context, limit);
  return skus.map((sku) => before + sku);
};

/** The product resources of the SKUs, or the refusal of the first that is unknown. */
export async function productResources(
  skus: string[],
  context: CallContext,
): Promise<Outcome<PromptContent["resources"]>> {
  const found: PromptContent["resources"] = [];
  for (const outcome of await Promise.all(skus.map((sku) => productResource.read(sku, context)))) {
    if (!outcome.ok) return outcome;
    const uri = productResource.uriTemplate.replace("{sku}", encodeURIComponent(skus[found.length] ?? ""));
    found.push({ uri, value: outcome.value });
  }
  return ok(found);
}
