import { spellings } from "../text/spellings.ts";
import { distance } from "fastest-levenshtein";
import * as z from "zod";
import {
  type ProductDetail,
  type ProductSummary,
  type Variant,
  detailColumns,
  detailRowSchema,
  summaryCellSchema,
  toDetail,
  toSummary,
  toVariant,
  variantColumns,
  variantRowSchema,
} from "./product.ts";
import { isBuyable } from "./availability.ts";
import type { Position } from "./cursor.ts";
import { BRAND_NAME, type FilterCounts, IS_BRAND } from "./filter-counts.ts";
import { brandWord } from "./search/facets.ts";
import { type SearchRequest, search } from "./search/search.ts";
import type { Queries } from "../database/copies.ts";
import { runBatch } from "../database/run-batch.ts";

export interface SearchPage {
  products: ProductSummary[];
  /** Addresses of pictures by SKU, of products that have one. */
  images: Record<string, string>;
  /** The end of the page, if there are more rows. */
  next?: Position;
  /** Whether there were more matches than were examined. */
  cut: boolean;
  /** The available filters, if they were requested. */
  facets?: FilterCounts;
}

export interface Category {
  name: string;
  /** Active products in it; the variants of a group are one. */
  products: number;
}

export interface CatalogOverview {
  /** The variants of a group are one product. */
  activeProducts: number;
  /** Milliseconds since the epoch; null if the catalog was never filled. */
  changedAt: number | null;
}

/**
 * Everything that callers may read of the catalog. Only this folder holds SQL over it. `now` is in milliseconds since the epoch;
 * it decides which sales run.
 */
export interface Catalog {
  search(request: SearchRequest): Promise<SearchPage>;
  /** Returns products in the order of `skus`; unknown ones are left out. */
  products(skus: string[], now: number): Promise<ProductDetail[]>;
  /** Returns up to `limit` active variants of a group, in the order of its first import; none if there is no such group. */
  variants(groupId: string, limit: number, now: number): Promise<Variant[]>;
  /** Returns the SKU of the variant to show for each of these groups; unknown groups are left out. */
  featured(groupIds: string[]): Promise<{ group: string; sku: string }[]>;
  /** Returns the currency of the oldest product; undefined for an empty catalog. */
  currency(): Promise<string | undefined>;
  /** Returns up to `limit` real SKUs that look like this one, nearest first. */
  nearestSkus(sku: string, limit?: number): Promise<string[]>;
  skusStartingWith(prefix: string, limit: number): Promise<string[]>;
  /** Returns a category's name as the catalog spells it, ignoring the case of `name`. */
  categoryName(name: string): Promise<string | undefined>;
  /** Returns up to `limit` brands as the catalog spells them, those that look like `brand` first. */
  nearestBrands(brand: string, limit: number): Promise<string[]>;
  /** Returns categories in order of name, starting after `after`; empty ones are left out. */
  categories(limit: number, after?: string): Promise<Category[]>;
  /** Returns names in order, ignoring the case of `prefix`; empty categories are left out. */
  categoriesStartingWith(prefix: string, limit: number): Promise<string[]>;
  overview(): Promise<CatalogOverview>;
}

const BRANDS_READ_MAX = 1_000;

/** `admitted` resolves when the call may write; a search that has products to reindex waits for it. */
export function createCatalog(db: Queries, admitted: Promise<void> = Promise.resolve()): Catalog {
  return {
    async search(request) {
      const { summaries, ...rest } = await search(
        (statements) => runBatch(db, statements),
        request,
        admitted,
      );
      const rows = summaryCells.parse(summaries);
      const images = rows.flatMap(({ sku, image_url }) => (image_url === "" ? [] : [[sku, image_url]]));
      return { products: rows.map(toSummary), images: Object.fromEntries(images), ...rest };
    },

    async products(skus, now) {
      const { results } = await db
        .prepare(
          `SELECT ${detailColumns("?2")} FROM json_each(?1) wanted JOIN products p ON p.sku = wanted.value
           JOIN categories c ON c.id = p.category_id ORDER BY wanted.key`,
        )
        .bind(JSON.stringify(skus), now)
        .all();
      return detailRows.parse(results).map(toDetail);
    },

    async variants(groupId, limit, now) {
      const { results } = await db
        .prepare(
          `SELECT ${variantColumns("?2")} FROM product_groups g CROSS JOIN products p ON p.group_id = g.id
           WHERE g.key = ?1 AND p.status = 'active' ORDER BY p.id LIMIT ?3`,
        )
        .bind(groupId, now, limit)
        .all();
      return variantRows.parse(results).map(toVariant);
    },

    async featured(groupIds) {
      const { results } = await db
        .prepare(
          `SELECT wanted.value AS "group", (SELECT p.sku FROM product_groups g CROSS JOIN products p ON p.group_id = g.id
             WHERE g.key = wanted.value AND p.status = 'active' ORDER BY ${isBuyable("p")} DESC, p.id LIMIT 1) AS sku
           FROM json_each(?1) wanted`,
        )
        .bind(JSON.stringify(groupIds))
        .all();
      return featuredRows.parse(results).flatMap(({ group, sku }) => (sku === null ? [] : [{ group, sku }]));
    },

    async currency() {
      const row = await db.prepare("SELECT currency FROM products ORDER BY id LIMIT 1").first();
      return row === null ? undefined : currencyRow.parse(row).currency;
    },

    async nearestSkus(sku, limit = 5) {
      // Neighbours in order find a wrong ending; the full-text index finds a wrong or missing prefix.
      const statements = [
        db.prepare("SELECT sku FROM products WHERE sku >= ? ORDER BY sku LIMIT 20").bind(sku),
        db.prepare("SELECT sku FROM products WHERE sku < ? ORDER BY sku DESC LIMIT 20").bind(sku),
      ];
      // Two patterns, because a single one would take quadratic time on a long run of letters.
      const words = (sku.match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => /\p{N}/u.test(word));
      if (words.length > 0) {
        const match = words.map((word) => `joined : "${word.toLowerCase()}"`).join(" OR ");
        statements.push(
          db
            .prepare(
              `SELECT p.sku FROM product_search s JOIN product_words w ON w.id = s.rowid
               JOIN products p ON p.id = w.product_id WHERE product_search MATCH ? LIMIT 20`,
            )
            .bind(match),
        );
      }
      const found = await db.batch(statements);
      const candidates = new Set(
        skuRows.parse(found.flatMap(({ results }) => results)).map((row) => row.sku),
      );
      const ranked = [...candidates]
        .map((candidate) => ({ candidate, edits: distance(candidate.toLowerCase(), sku.toLowerCase()) }))
        .filter(({ candidate, edits }) => edits <= Math.max(candidate.length, sku.length) / 2)
        .toSorted((a, b) => a.edits - b.edits || (a.candidate < b.candidate ? -1 : 1));
      return ranked.slice(0, limit).map(({ candidate }) => candidate);
    },

    async skusStartingWith(prefix, limit) {
      const { results } = await db
        .prepare(
          "SELECT sku FROM products WHERE sku >= ?1 AND sku < ?1 || char(1114111) ORDER BY sku LIMIT ?2",
        )
        .bind(prefix, limit)
        .all();
      return skuRows.parse(results).map((row) => row.sku);
    },

    async categoryName(name) {
      const names = spellings(name);
      const row = await db
        .prepare(`SELECT name FROM categories WHERE name IN (${names.map(() => "?").join(", ")})`)
        .bind(...names)
        .first();
      return row === null ? undefined : nameRow.parse(row).name;
    },

    async nearestBrands(brand, limit) {
      const { results } = await db
        .prepare(
          `SELECT ${BRAND_NAME} AS name
           FROM (SELECT ?1 AS word UNION SELECT * FROM (SELECT word FROM word_counts WHERE ${IS_BRAND} LIMIT ?2))`,
        )
        .bind(brandWord(brand), BRANDS_READ_MAX)
        .all();
      const wanted = brand.toLowerCase();
      return brandRows
        .parse(results)
        .flatMap(({ name }) => (name ? [{ name, edits: distance(name.toLowerCase(), wanted) }] : []))
        .toSorted((a, b) => a.edits - b.edits || (a.name < b.name ? -1 : 1))
        .slice(0, limit)
        .map(({ name }) => name);
    },

    async categories(limit, after = "") {
      const { results } = await db
        .prepare(
          `SELECT name, active_products AS products FROM categories
           WHERE active_products > 0 AND name > ? ORDER BY name LIMIT ?`,
        )
        .bind(after, limit)
        .all();
      return categoryRows.parse(results);
    },

    async categoriesStartingWith(prefix, limit) {
      const prefixes = spellings(prefix);
      const ranges = prefixes.map((_, index) => {
        const place = `?${index + 2}`;
        return `name >= ${place} AND name < ${place} || char(1114111)`;
      });
      const { results } = await db
        .prepare(
          `SELECT name FROM categories WHERE active_products > 0 AND (${ranges.join(" OR ")})
           ORDER BY name LIMIT ?1`,
        )
        .bind(limit, ...prefixes)
        .all();
      return z
        .array(nameRow)
        .parse(results)
        .map(({ name }) => name);
    },

    async overview() {
      const row = await db.prepare("SELECT active_products, changed_at FROM catalog_state").first();
      const state = stateRow.parse(row);
      return { activeProducts: state.active_products, changedAt: state.changed_at };
    },
  };
}

// Made once, because preparing a new schema takes longer than checking its rows.
const summaryCells = z.array(summaryCellSchema);
const detailRows = z.array(detailRowSchema);
const variantRows = z.array(variantRowSchema);
const skuRows = z.array(z.object({ sku: z.string() }));
const featuredRows = z.array(z.object({ group: z.string(), sku: z.string().nullable() }));
const currencyRow = z.object({ currency: z.string() });
const nameRow = z.object({ name: z.string() });
const brandRows = z.array(z.object({ name: z.string().nullable() }));
const categoryRows = z.array(z.object({ name: z.string(), products: z.int() }));
const stateRow = z.object({ active_products: z.int(), changed_at: z.int().nullable() });
