import * as z from "zod";
import { ok } from "../refusal.ts";
import { readProducts } from "../resources/product.ts";
import { definePrompt } from "./prompt.ts";
import { completeSkuList, skuListSchema } from "./sku-list.ts";

export const compareProducts = definePrompt({
  name: "compare_products",
  title: "Compare products",
  description: "Compare two to five products by what the catalog says of them now",
  args: z.strictObject({
    skus: skuListSchema(2, 5).describe("Two to five SKUs, separated by commas"),
  }),
  complete: { skus: completeSkuList },

  async render({ skus }, context) {
    const products = await readProducts(skus, context);
    if (!products.ok) return products;
    const text = `Compare these products: ${skus.join(", ")}.

Make a table of price, availability, stock and the attributes that differ, then say which suits whom. Use only what the data below says; where it is silent, say so.`;
    const { value: resources, signals } = products.value;
    return ok({ value: { text, resources }, signals });
  },
});
