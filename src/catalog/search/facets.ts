import { remembered } from "../../remember.ts";
import { pathsOf } from "../category-path.ts";

/** Conditions that narrow a search. Prices are in major units of the product's own currency. */
export interface Filters {
  /** One category, or several of which a product is in any. */
  category?: string | readonly string[] | undefined;
  brand?: string | undefined;
  minPrice?: number | undefined;
  maxPrice?: number | undefined;
  inStock?: boolean | undefined;
}

interface Faceted {
  /** A path such as "Home > Lamps". A filter by "Home" includes it. */
  category: string;
  brand: string;
  /** All prices that the product may have, in major units: the regular one, and a sale's. */
  prices: readonly number[];
}

// Prices fall into bands of 1/8192 of an octave, narrow enough to keep 69.99 out of a range that begins at 70. Each of four
// wider levels joins eight bands of the level below, so a range is a few wide bands and narrow ones at its ends. The two
// widest levels keep the names of the previous release, so that each release finds the other's rows.
const BANDS_PER_OCTAVE = 8_192;
const LEVELS = [
  { shift: 12, name: "pp", digits: 0 },
  { shift: 9, name: "p", digits: 0 },
  // Leading zeros make the words sort as the prices do.
  { shift: 6, name: "p6", digits: 6 },
  { shift: 3, name: "p3", digits: 6 },
  { shift: 0, name: "p0", digits: 6 },
] as const;
const [, , , NARROW, NARROWEST] = LEVELS;
type Level = (typeof LEVELS)[number];
/** The last band, which holds all prices from 2^40. */
const BAND_MAX = 40 * BANDS_PER_OCTAVE;
/** A word that every product has. */
const EVERYTHING = "f_all";

// Filters are words of the index too. Looking for "cable" within a small brand then reads only that brand's products, and a
// walk that stops early never misses the only match.

/** A product's facets as words. */
export function facetWords({ category, brand, prices }: Faceted): string[] {
  const bands = prices.map(bandOf);
  return [
    EVERYTHING,
    ...pathsOf(category).map(categoryWord),
    brandWord(brand),
    ...new Set(bands.flatMap((band) => LEVELS.map((level) => bandWord(band, level)))),
  ];
}

/**
 * The filters as an FTS5 condition that follows an expression in brackets. rowFilters() checks exact prices, and all prices until
 * all rows are reindexed (`settled`): older ones lack narrow bands.
 */
export function matchFacets({ category, brand, minPrice, maxPrice }: Filters, settled: boolean): string {
  const conditions: string[] = [];
  const categories = [category ?? []].flat().map((name) => `"${categoryWord(name)}"`);
  if (categories.length > 0) conditions.push(`(${categories.join(" OR ")})`);
  if (brand !== undefined) conditions.push(`"${brandWord(brand)}"`);
  if (settled && (minPrice !== undefined || maxPrice !== undefined))
    conditions.push(priceRange(bandOf(minPrice ?? 0), bandOf(maxPrice ?? Infinity)));
  return conditions.map((condition) => ` AND ${condition}`).join("");
}

/** All products as an FTS5 expression. Older rows have no word in common, but each has a category. */
export const matchEverything = (settled: boolean): string => (settled ? `"${EVERYTHING}"` : '"c_" *');

/** Brands and categories repeat. */
const slug = remembered((text) =>
  text
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^\p{L}\p{N}]+/gu, "."),
);
export const brandWord = (brand: string): string => `b_${slug(brand)}`;
const categoryWord = (category: string): string => `c_${slug(category)}`;

const bandWord = (band: number, { shift, name, digits }: Level): string =>
  `${name}_${String(band >> shift).padStart(digits, "0")}`;

/** The first and last band word of a price range, at a level where few prices share a band. */
export function bandRange(min: number, max: number): [from: string, to: string] {
  return [bandWord(bandOf(min), NARROW), bandWord(bandOf(max), NARROW)];
}

/**
 * SQL for whether a price in major units falls into the band of `word`, a word of bandRange(). A product with a sale has the
 * words of two bands.
 */
export const isInBand = (word: string, price: string): string =>
  `CAST(${BANDS_PER_OCTAVE >> NARROW.shift} * log2(max(1, ${price})) AS INTEGER) = CAST(substr(${word}, ${NARROW.name.length + 2}) AS INTEGER)`;

function bandOf(price: number): number {
  return Math.min(BAND_MAX, Math.floor(BANDS_PER_OCTAVE * Math.log2(Math.max(1, price))));
}

/** An expression of the widest band words that cover the bands `from` to `to`, both included. */
function priceRange(from: number, to: number): string {
  const found: string[] = [];
  for (let band = from; band <= to;) {
    const start = band;
    const fits = ({ shift }: Level) => start % 2 ** shift === 0 && start + 2 ** shift - 1 <= to;
    const level = LEVELS.find(fits) ?? NARROWEST;
    found.push(bandWord(band, level));
    band += 2 ** level.shift;
  }
  return `(${found.map((word) => `"${word}"`).join(" OR ")})`;
}
