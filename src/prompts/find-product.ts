import * as z from "zod";
import { ok } from "../refusal.ts";
import { summaryResource } from "../resources/summary.ts";
import { definePrompt } from "./prompt.ts";

export const findProduct = definePrompt({
  name: "find_product",
  title: "Find a product",
  description: "Find what fits a need and a budget, from the live catalog",
  args: z.strictObject({
    need: z.string().trim().min(1).max(500).describe("What the product is for"),
    budget: z.string().trim().max(50).optional().describe("The most it may cost, such as 100 USD"),
    category: z.string().trim().max(200).optional().describe("A category to stay within"),
  }),
  complete: {
    category: async (typed, { catalog }, limit) => ({
      ids: await catalog.categoriesStartingWith(typed, limit),
    }),
  },

  async render({ need, budget, category }, context) {
    const summary = await summaryResource.read(context);
    if (!summary.ok) return summary;
    const wishes = [
      `I need: ${need}`,
      ...(budget ? [`My budget: ${budget}`] : []),
      ...(category ? [`Only in the category: ${category}`] : []),
    ];
    const text = `${wishes.join("\n")}

Find the best match with search_products, using its filters. Try other words where the first find little. Check availability with query_stock before you recommend anything. Name only products, prices and stock levels that the tools answered, each with its SKU. The catalog's summary is below.`;
    const { value, signals } = summary.value;
    return ok({ value: { text, resources: [{ uri: summaryResource.uri, value }] }, signals });
  },
});
