import * as z from "zod";
import { cursorArgument, decodeCursor, encodeCursor } from "../catalog/cursor.ts";
import { type ProductSummary, countedAs, productSummarySchema } from "../catalog/product.ts";
import type { Catalog } from "../catalog/repository.ts";
import { queryText } from "../catalog/query-text.ts";
import { sortSchema } from "../catalog/search/search.ts";
import { minorPerMajor } from "../catalog/money.ts";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";
import { emptyCatalogNotice } from "../catalog/empty-catalog.ts";
import { earlierSummarySchema, toEarlierSummary } from "./earlier/product.ts";
import { olderVersion } from "./older-version.ts";
import { offerText, summaryLine } from "./product-line.ts";
import { READ_ONLY, defineTool } from "./tool.ts";

/** By SKU, for cards only: addresses of pictures would double what an answer costs a model. */
const IMAGES_META_KEY = "product-catalog-mcp/images";
const CATEGORIES_LISTED = 50;
const BRANDS_LISTED = 10;
const NONE_NOTICE =
  "No product matches. Try fewer words or filters; list_categories and facets: true show what there is.";
const CUT_NOTICE = "More products match than a search goes through: add words or filters to see the others.";

const majorUnits = z.number().min(0).max(1e12);

const question = {
  query: queryText
    .optional()
    .describe('What to look for, in plain words; "without X" excludes. Left out: everything'),
  category: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .optional()
    .describe("From list_categories, with those below it"),
  brand: z.string().trim().min(1).max(200).optional(),
  min_price: majorUnits.optional().describe("In major units of the product's currency, such as 79.99"),
  max_price: majorUnits.optional().describe("In major units of the product's currency, such as 79.99"),
  in_stock: z
    .boolean()
    .optional()
    .describe("true: without what is known not to be in stock; false: only that"),
  facets: z.boolean().optional().describe("true: also count categories, brands, price ranges and options"),
  sort: sortSchema.default("relevance"),
  limit: z.int().min(1).max(50).default(10),
  cursor: cursorArgument.optional(),
};
interface Bounds {
  min_price?: number | undefined;
  max_price?: number | undefined;
}
const isRange = ({ min_price = 0, max_price = Infinity }: Bounds): boolean => min_price <= max_price;
const NO_RANGE = { path: ["min_price"], message: "must not be above max_price" };
const input = z.strictObject(question).refine(isRange, NO_RANGE);

const productV1 = z.strictObject({ name: z.string(), price: z.number().describe("Decimal, in major units") });

const counted = z.strictObject({ name: z.string(), products: z.int() });
const facetsSchema = z.strictObject({
  counted: z.int().describe("Products that were counted"),
  complete: z.boolean().describe("False where more products match than were counted"),
  categories: z.array(counted),
  brands: z.array(counted),
  prices: z.array(
    z.strictObject({ currency: z.string(), from: z.number(), to: z.number(), products: z.int() }),
  ),
  options: z
    .array(
      z.strictObject({
        name: z.string(),
        values: z.array(z.strictObject({ value: z.string(), products: z.int() })),
      }),
    )
    .describe("Attributes with their values: words for the query"),
});

const pageShape = {
  next_cursor: z.string().optional().describe("Present where there are more products"),
  facets: facetsSchema.optional(),
  notice: z.string().optional(),
};
const output = z.strictObject({
  version: z.literal("v3"),
  ...pageShape,
  products: z.array(productSummarySchema),
});

/** The two earlier shapes: v1 is {name, price} alone, with a decimal price. */
const earlierNames = ["v1", "v2"] as const;
const earlierInput = z
  .strictObject({ ...question, version: z.enum(earlierNames).default("v2") })
  .refine(isRange, NO_RANGE);
const earlierOutput = z.strictObject({
  version: z.enum(earlierNames),
  ...pageShape,
  products: z.array(z.union([earlierSummarySchema, productV1])),
});

const ABOUT =
  "Find products in the live catalog by words, with filters and sorting. Use it before naming any product, price or availability.";

export const searchProducts = defineTool({
  name: "search_products",
  version: 2,
  title: "Search products",
  description: `${ABOUT}
Answers a page of products, of one with variants the best match; get_product lists the others. Give people a product's url. Pass next_cursor back as cursor, with all else unchanged, for the next page.`,
  examples: [{ query: "wireless keyboard", max_price: 100, in_stock: true, limit: 5 }],
  annotations: READ_ONLY,
  scope: "catalog:read",
  runsAhead: true,
  hasCard: true,
  labels: {
    classes: ["catalog"],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: { arguments: [], results: ["products[].sku"] },
    cost: { records: 50, bytes: 64_000, page: { argument: "limit", default: 10 } },
  },
  input,
  output,

  async run({ cursor, limit, facets, ...asked }, { catalog, now, pageMax = limit }) {
    const category = await resolveCategory(catalog, asked.category);
    if (!category.ok) return category;
    const after = cursor === undefined ? undefined : decodeCursor(asked, cursor);
    if (after?.ok === false) return after;

    const page = await catalog.search({
      query: asked.query ?? "",
      facets,
      category: category.value,
      brand: asked.brand,
      minPrice: asked.min_price,
      maxPrice: asked.max_price,
      inStock: asked.in_stock,
      sort: asked.sort,
      limit: Math.min(limit, pageMax),
      now,
      after: after?.value,
    });
    const isEmpty = page.products.length === 0 && page.next === undefined && cursor === undefined;
    const empty = isEmpty ? (emptyCatalogNotice(await catalog.overview()) ?? NONE_NOTICE) : undefined;
    if (empty === NONE_NOTICE && asked.brand !== undefined) {
      const refused = await refuseUnknownBrand(catalog, asked.brand);
      if (refused !== undefined) return refused;
    }
    const notice = empty ?? (page.cut ? CUT_NOTICE : undefined);
    const answer = {
      version: "v3" as const,
      products: page.products,
      ...(page.next && { next_cursor: encodeCursor(asked, page.next) }),
      ...(page.facets && { facets: page.facets }),
      ...(notice !== undefined && { notice }),
    };
    // Variants count as the product that they are.
    const products = page.products.map((product) => ({ ...product, sku: countedAs(product) }));
    return ok({
      ...answered(answer, { records: products.length }),
      measured: { products },
      meta: { [IMAGES_META_KEY]: page.images },
    });
  },

  text: ({ products, ...rest }) =>
    pageText(
      products.map((product) => `${product.sku}: ${summaryLine(product)}`),
      rest,
    ),

  previous: [
    olderVersion({
      version: 1,
      deprecated: { since: "2026-12-01", until: "2027-06-01" },
      description: ABOUT,
      examples: [{ query: "wireless keyboard", max_price: 100, in_stock: true, limit: 5 }],
      names: earlierNames,
      input: earlierInput,
      output: earlierOutput,
      toCurrent(args) {
        const { version: _, ...asked } = args;
        return asked;
      },
      fromCurrent: ({ products, ...rest }: z.output<typeof output>, { version }) => ({
        ...rest,
        version,
        products: version === "v1" ? products.map(toV1) : products.map(toEarlierSummary),
      }),
      text: ({ products, ...rest }) =>
        pageText(
          products.map((product) =>
            "sku" in product
              ? `${product.sku}: ${[product.name, product.brand, offerText({ ...product })].filter(Boolean).join(", ")} (${product.category})`
              : lineV1(product),
          ),
          rest,
        ),
    }),
  ],
});

type Rest = Pick<z.output<typeof output>, "next_cursor" | "facets" | "notice">;

function pageText(lines: string[], { next_cursor, facets, notice }: Rest): string {
  if (lines.length === 0 && next_cursor === undefined) return notice ?? "No product matches.";
  return [
    ...lines,
    ...(facets === undefined ? [] : facetLines(facets)),
    ...(next_cursor === undefined ? [] : [`There are more: call again with cursor "${next_cursor}".`]),
    ...(notice === undefined ? [] : [notice]),
  ].join("\n");
}

const lineV1 = ({ name, price }: z.output<typeof productV1>): string => `- ${name}: ${price}`;

function facetLines({
  counted: total,
  complete,
  categories,
  brands,
  prices,
  options,
}: z.output<typeof facetsSchema>): string[] {
  const list = (title: string, found: { name: string; products: number }[]) =>
    found.length === 0
      ? []
      : [`${title}: ${found.map(({ name, products }) => `${name} (${products})`).join(", ")}`];
  const ranges = prices.map(({ currency, from, to, products }) => ({
    name: `${from}-${to} ${currency}`,
    products,
  }));
  return [
    complete ? `Counted: all ${total} that match` : `Counted: ${total} of those that match`,
    ...list("Categories", categories),
    ...list("Brands", brands),
    ...list("Prices", ranges),
    ...options.flatMap(({ name, values }) =>
      list(
        name,
        values.map(({ value, products }) => ({ name: value, products })),
      ),
    ),
  ];
}

function toV1({ name, price }: ProductSummary): z.output<typeof productV1> {
  return { name, price: price.amount_minor / minorPerMajor(price.currency) };
}

/** Refuses a brand that the catalog lacks, with those that look like it first. */
async function refuseUnknownBrand(catalog: Catalog, brand: string) {
  const brands = await catalog.nearestBrands(brand, BRANDS_LISTED);
  const small = (name: string) => name.normalize("NFC").toLowerCase();
  if (brands.some((name) => small(name) === small(brand))) return undefined;
  const known = brands.length > 0 ? ` Nearest: ${brands.join(", ")}.` : "";
  return refuse("invalid_arguments", `brand: unknown.${known} facets: true shows the commonest.`, {
    hints: { brands },
  });
}

async function resolveCategory(
  catalog: Catalog,
  name: string | undefined,
): Promise<Outcome<string | undefined>> {
  if (name === undefined) return ok(undefined);
  const known = await catalog.categoryName(name);
  if (known !== undefined) return ok(known);
  const valid = (await catalog.categories(CATEGORIES_LISTED + 1)).map((category) => category.name);
  const shown = valid.slice(0, CATEGORIES_LISTED);
  const more = valid.length > shown.length ? ", and more in list_categories" : "";
  return refuse("invalid_arguments", `category: unknown. Valid: ${shown.join(", ")}${more}.`, {
    hints: { categories: shown },
  });
}
