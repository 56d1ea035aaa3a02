import * as z from "zod";
import { ok } from "../refusal.ts";
import { readProducts } from "../resources/product.ts";
import { definePrompt } from "./prompt.ts";
import { completeSkuList, skuListSchema } from "./sku-list.ts";

export const stockReport = definePrompt({
  name: "stock_report",
  title: "Stock report",
  description: "Report the stock of up to ten products, per warehouse, as it is now",
  args: z.strictObject({
    skus: skuListSchema(1, 10).describe("One to ten SKUs, separated by commas"),
  }),
  complete: { skus: completeSkuList },

  async render({ skus }, context) {
    const products = await readProducts(skus, context);
    if (!products.ok) return products;
    const text = `Report the stock of: ${skus.join(", ")}.

Give a line per product with its status, total and stock per warehouse, and the time that the figures are from. Point out what is discontinued, out of stock, unknown, or has fewer than five units left. Use only the data below; call query_stock for newer figures.`;
    const { value: resources, signals } = products.value;
    return ok({ value: { text, resources }, signals });
  },
});
