import * as z from "zod";
import { type ProductDetail, countedAs } from "../catalog/product.ts";
import type { Catalog } from "../catalog/repository.ts";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { READ_ONLY, defineTool } from "../tools/tool.ts";
import { EXAMPLE_META, identifier, readCommon, wireSchema } from "./arguments.ts";
import { hasCategory, hasPrice, readFilter } from "./filters.ts";
import { ownVariant, productSchema, toListed, toVariant, variantSchema } from "./product.ts";
import { LOOKUP, type UcpMessage, answerSchema, forAgent, withMessages } from "./protocol.ts";

const IDS_MAX = 50;

const inputs = z.array(z.strictObject({ id: z.string(), match: z.enum(["exact", "featured"]) }));
const lookupVariant = z.strictObject({ ...variantSchema.shape, inputs });

export const lookupCatalog = defineTool({
  name: "ucp:lookup_catalog",
  calledAs: "lookup_catalog",
  version: 1,
  title: "Look up products",
  description: `Look up to ${IDS_MAX} products or variants by id. Unknown ids are named in messages.`,
  examples: [
    {
      meta: EXAMPLE_META,
      catalog: { ids: ["SKU-10001", "SKU-12847"] },
    },
  ],
  annotations: READ_ONLY,
  scope: "catalog:read",
  labels: {
    classes: ["catalog"],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: { arguments: ["ids[]"], results: ["products[].id"] },
    cost: { records: IDS_MAX, bytes: 200_000 },
  },
  input: wireSchema({ ids: z.array(identifier).min(1).max(IDS_MAX) }).transform((sent) => ({
    ...readCommon(sent),
    ids: [...new Set(sent.catalog.ids)],
  })),
  namesParsed: true,
  output: answerSchema({
    products: z.array(z.strictObject({ ...productSchema.shape, variants: z.array(lookupVariant) })),
  }),

  run: ({ profile, ids, ...asked }, context) =>
    forAgent(profile, LOOKUP, context, async (answering) => {
      const { catalog, now } = context;
      const filter = await readFilter(catalog, asked);
      const { found, missing } = await resolve(catalog, ids, now);
      const products = Array.from(found.values(), (resolved) => {
        const [first] = resolved;
        const variants = resolved
          .filter(({ detail }) => hasPrice(filter, detail.price) && hasCategory(filter, detail.category))
          .map(({ detail, ...rest }) => ({ ...toVariant(ownVariant(detail), detail.name), ...rest }));
        return first === undefined || variants.length === 0 ? [] : [toListed(first.detail, variants)];
      }).flat();
      const messages: UcpMessage[] = missing.map((id) => ({ type: "info", code: "not_found", content: id }));
      const answer = { ...answering, products, ...withMessages([...filter.messages, ...messages]) };
      return ok(
        answered(answer, { records: products.length, missed: missing.length === ids.length, missing }),
      );
    }),

  text: (answer) => JSON.stringify(answer),
});

interface Resolved {
  detail: ProductDetail;
  inputs: z.output<typeof inputs>;
}

/** Finds each id as a variant's, else as a product's. Returns the variants to show, by the id of their product. */
async function resolve(catalog: Catalog, ids: string[], now: number) {
  const exact = await catalog.products(ids, now);
  const isExact = new Set(exact.map(({ sku }) => sku));
  const others = ids.filter((id) => !isExact.has(id));
  const featured = others.length === 0 ? [] : await catalog.featured(others);
  const more = featured.map(({ sku }) => sku).filter((sku) => !isExact.has(sku));
  const details = [...exact, ...(more.length === 0 ? [] : await catalog.products(more, now))];
  const found = new Map<string, Resolved[]>();
  for (const detail of details) {
    const named = isExact.has(detail.sku) ? [{ id: detail.sku, match: "exact" as const }] : [];
    const chosen = featured
      .filter(({ sku }) => sku === detail.sku)
      .map(({ group }) => ({ id: group, match: "featured" as const }));
    const product = countedAs(detail);
    found.set(product, [...(found.get(product) ?? []), { detail, inputs: [...named, ...chosen] }]);
  }
  const isFeatured = new Set(featured.map(({ group }) => group));
  return { found, missing: others.filter((id) => !isFeatured.has(id)) };
}
