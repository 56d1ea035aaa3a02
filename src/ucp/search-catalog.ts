import * as z from "zod";
import { cursorArgument, decodeCursor, encodeCursor } from "../catalog/cursor.ts";
import { queryText } from "../catalog/query-text.ts";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { READ_ONLY, defineTool } from "../tools/tool.ts";
import { EXAMPLE_META, readCommon, wireSchema } from "./arguments.ts";
import { readFilter } from "./filters.ts";
import { ownVariant, productSchema, toListed, toVariant } from "./product.ts";
import { SEARCH, answerSchema, forAgent, withMessages } from "./protocol.ts";

const PAGE_MAX = 50;

const pagination = z
  .looseObject({ cursor: cursorArgument.optional(), limit: z.int().min(1).default(10) })
  .optional();

export const searchCatalog = defineTool({
  name: "ucp:search_catalog",
  calledAs: "search_catalog",
  version: 1,
  title: "Search the catalog",
  description: "Search for products by words, by filters, or both. Give catalog.query or catalog.filters.",
  examples: [
    {
      meta: EXAMPLE_META,
      catalog: { query: "wireless keyboard", filters: { price: { max: 10_000 } } },
    },
  ],
  annotations: READ_ONLY,
  scope: "catalog:read",
  labels: {
    classes: ["catalog"],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: { arguments: [], results: ["products[].id"] },
    cost: { records: PAGE_MAX, bytes: 200_000, page: { argument: "limit", default: 10 } },
  },
  input: wireSchema({ query: queryText.optional(), pagination })
    .refine(({ catalog: { query, filters } }) => query !== undefined || filters !== undefined, {
      path: ["catalog"],
      message: "Give query or filters",
    })
    .transform((sent) => ({
      ...readCommon(sent),
      query: sent.catalog.query,
      cursor: sent.catalog.pagination?.cursor,
      limit: Math.min(sent.catalog.pagination?.limit ?? 10, PAGE_MAX),
    })),
  namesParsed: true,
  output: answerSchema({
    products: z.array(productSchema),
    pagination: z.strictObject({ has_next_page: z.boolean(), cursor: z.string().optional() }),
  }),

  run: ({ profile, cursor, limit, ...asked }, context) =>
    forAgent(profile, SEARCH, context, async (answering) => {
      const { catalog, now, pageMax = limit } = context;
      const after = cursor === undefined ? undefined : decodeCursor(asked, cursor);
      if (after?.ok === false) return after;
      const filter = await readFilter(catalog, asked);
      const { categories, min, max, messages } = filter;
      const inMajor = (minor: number | undefined) => minor && minor / filter.minorUnits;
      const isNowhere = categories?.length === 0 || (min ?? 0) > (max ?? Infinity);
      const page = isNowhere
        ? { products: [] }
        : await catalog.search({
            query: asked.query ?? "",
            category: categories,
            minPrice: inMajor(min),
            maxPrice: inMajor(max),
            sort: "relevance",
            limit: Math.min(limit, pageMax),
            now,
            after: after?.value,
          });
      const details = await catalog.products(
        page.products.map(({ sku }) => sku),
        now,
      );
      const products = details.map((detail) =>
        toListed(detail, [toVariant(ownVariant(detail), detail.name)]),
      );
      const next = "next" in page ? page.next : undefined;
      const pages = {
        has_next_page: next !== undefined,
        ...(next && { cursor: encodeCursor(asked, next) }),
      };
      const answer = { ...answering, products, pagination: pages, ...withMessages(messages) };
      return ok(answered(answer, { records: products.length }));
    }),

  text: (answer) => JSON.stringify(answer),
});
