import * as z from "zod";
import type { Position } from "./cursor.ts";
import { type ProductSummary, SUMMARY_COLUMNS, summaryRowSchema, toSummary } from "./product.ts";

export const sortSchema = z.enum(["relevance", "price_asc", "price_desc", "name"]);

export interface SearchRequest {
  query: string;
  /** A category's exact name, as in the catalog. */
  category?: string | undefined;
  brand?: string | undefined;
  /** Major units of the product's own currency. */
  minPrice?: number | undefined;
  maxPrice?: number | undefined;
  inStock?: boolean | undefined;
  sort: z.output<typeof sortSchema>;
  limit: number;
  after?: Position | undefined;
}

export interface SearchPage {
  products: ProductSummary[];
  /** Where the page ended, where there is more. */
  next?: Position;
}

// Every key sorts ascending, so that one comparison continues any of them.
const SORT_KEYS = {
  relevance: "bm25(product_search, 20, 10, 5, 5, 2, 2, 1)",
  price_asc: "p.price_minor * 1.0 / p.minor_per_major",
  price_desc: "-p.price_minor * 1.0 / p.minor_per_major",
  name: "lower(p.name)",
} as const satisfies Record<SearchRequest["sort"], string>;

const rowSchema = summaryRowSchema.extend({ sort_key: z.union([z.string(), z.number()]) });

export async function searchProducts(db: D1Database, request: SearchRequest): Promise<SearchPage> {
  const match = matchExpression(request.query);
  if (match === undefined) return { products: [] };
  const { sql, values } = statement(request, match);
  const { results } = await db
    .prepare(sql)
    .bind(...values)
    .all();
  const rows = z.array(rowSchema).parse(results);
  const page = rows.slice(0, request.limit);
  const last = page.at(-1);
  return {
    products: page.map(toSummary),
    ...(rows.length > page.length && last && { next: [last.sort_key, last.sku] satisfies Position }),
  };
}

function statement(request: SearchRequest, match: string): { sql: string; values: (string | number)[] } {
  const values: (string | number)[] = [];
  const bind = (value: string | number) => `?${values.push(value)}`;
  const where = [`product_search MATCH ${bind(match)}`];
  if (request.category !== undefined) where.push(`c.name = ${bind(request.category)}`);
  if (request.brand !== undefined) where.push(`p.brand = ${bind(request.brand)}`);
  // round(): 79.99 * 100 is a hair under 7999 in floating point.
  if (request.minPrice !== undefined)
    where.push(`p.price_minor >= round(${bind(request.minPrice)} * p.minor_per_major)`);
  if (request.maxPrice !== undefined)
    where.push(`p.price_minor <= round(${bind(request.maxPrice)} * p.minor_per_major)`);
  if (request.inStock !== undefined)
    where.push(`(p.status = 'active' AND stocked = 1) = ${bind(Number(request.inStock))}`);
  const after = request.after
    ? `WHERE (sort_key, sku) > (${bind(request.after[0])}, ${bind(request.after[1])})`
    : "";
  const sql = `WITH hits AS (
    SELECT ${SUMMARY_COLUMNS}, ${SORT_KEYS[request.sort]} AS sort_key
    FROM product_search
    JOIN products p ON p.id = product_search.rowid
    JOIN categories c ON c.id = p.category_id
    WHERE ${where.join(" AND ")}
  ) SELECT * FROM hits ${after} ORDER BY sort_key, sku LIMIT ${bind(request.limit + 1)}`;
  return { sql, values };
}

/**
 * An FTS5 expression that matches any of the words. Every word is quoted, so that operators,
 * quotes and stars are text; nothing searchable gives undefined.
 */
function matchExpression(query: string): string | undefined {
  const words = query.match(/[\p{L}\p{N}]+/gu);
  return words?.map((word) => `"${word}"`).join(" OR ");
}
