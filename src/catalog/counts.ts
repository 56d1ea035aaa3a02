import * as z from "zod";
import { type Page, type Position, pageOf } from "../database/page.ts";

// Counts of the catalog for the dashboard. They read every product, so they are taken in parts, between which callers are served,
// and remembered.

/** Product ids that one statement looks at. */
const PART = 10_000;
/** Milliseconds for which counts of an unchanged catalog are remembered: changes of stock alone are not noticed. */
const REMEMBERED_MS = 10 * 60_000;

const stateRow = z.object({ changed_at: z.int().nullable(), last: z.int().nullable() });

const countRow = z.object({
  category: z.string(),
  currency: z.string(),
  products: z.int(),
  low: z.int(),
  high: z.int(),
  unstocked: z.int(),
});

/** The active products of a category; those of its subcategories are not among them. */
export interface CategoryCounts {
  name: string;
  /** Each variant counts. */
  products: number;
  /** Products for which no warehouse has a quantity. */
  unstocked: number;
  /** The lowest and highest regular price of each currency, in minor units. */
  prices: { currency: string; low: number; high: number }[];
}

export interface CatalogCounts {
  categories: CategoryCounts[];
  /** When they were counted, in milliseconds since the epoch. */
  at: number;
}

const known = new WeakMap<D1Database, { changedAt: number | null; counts: CatalogCounts }>();

/** Counts the active products of each category, by name. */
export async function catalogCounts(db: D1Database, now: number): Promise<CatalogCounts> {
  const state = stateRow.parse(
    await db.prepare("SELECT changed_at, (SELECT max(id) FROM products) AS last FROM catalog_state").first(),
  );
  const before = known.get(db);
  const isSame = before?.changedAt === state.changed_at;
  if (before !== undefined && isSame && now - before.counts.at < REMEMBERED_MS) return before.counts;
  const counts = { categories: await countCategories(db, state.last ?? 0), at: now };
  known.set(db, { changedAt: state.changed_at, counts });
  return counts;
}

async function countCategories(db: D1Database, last: number): Promise<CategoryCounts[]> {
  const categories = new Map<string, CategoryCounts>();
  for (let from = 0; from < last; from += PART) {
    const { results } = await db
      .prepare(
        `SELECT c.name AS category, currency, count(*) AS products, min(price_minor) AS low, max(price_minor) AS high,
           sum(${UNSTOCKED}) AS unstocked
         FROM products p JOIN categories c ON c.id = p.category_id
         WHERE p.id > ?1 AND p.id <= ?2 AND p.status = 'active' GROUP BY c.id, currency`,
      )
      .bind(from, from + PART)
      .all();
    for (const row of countRow.array().parse(results)) addCounts(categories, row);
  }
  return [...categories.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const UNSTOCKED = "NOT EXISTS (SELECT 1 FROM stock s WHERE s.product_id = p.id)";

function addCounts(
  categories: Map<string, CategoryCounts>,
  { category, currency, products, low, high, unstocked }: z.output<typeof countRow>,
): void {
  const counts = categories.get(category) ?? { name: category, products: 0, unstocked: 0, prices: [] };
  categories.set(category, counts);
  counts.products += products;
  counts.unstocked += unstocked;
  const prices = counts.prices.find((each) => each.currency === currency);
  if (prices === undefined) counts.prices.push({ currency, low, high });
  else Object.assign(prices, { low: Math.min(prices.low, low), high: Math.max(prices.high, high) });
}

const unstockedRow = z.object({
  id: z.int(),
  sku: z.string(),
  name: z.string(),
  category: z.string(),
  /** The word of the imported file; null if it had none. */
  availability: z.string().nullable(),
});
/** An active product for which no warehouse has a quantity. */
export type Unstocked = z.output<typeof unstockedRow>;

/** Returns a page of the active products for which no warehouse has a quantity, in the order of the catalog. */
export async function pageOfUnstocked(
  db: D1Database,
  { after, size }: { after: Position | undefined; size: number },
): Promise<Page<Unstocked>> {
  const last = z
    .int()
    .nullable()
    .parse(await db.prepare("SELECT max(id) AS last FROM products").first("last"));
  const rows: Unstocked[] = [];
  for (let from = Number(after?.[0] ?? 0); from < (last ?? 0) && rows.length <= size; from += PART) {
    const { results } = await db
      .prepare(
        `SELECT p.id, sku, p.name, c.name AS category, availability FROM products p JOIN categories c ON c.id = p.category_id
         WHERE p.id > ?1 AND p.id <= ?2 AND p.status = 'active' AND ${UNSTOCKED} ORDER BY p.id LIMIT ?3`,
      )
      .bind(from, from + PART, size + 1 - rows.length)
      .all();
    rows.push(...unstockedRow.array().parse(results));
  }
  return pageOf(rows, size, ({ id }) => [id, 0]);
}
