/** Conditions that narrow a search. Prices are in major units of the product's own currency. */
export interface Filters {
  category?: string | undefined;
  brand?: string | undefined;
  minPrice?: number | undefined;
  maxPrice?: number | undefined;
  inStock?: boolean | undefined;
}

interface Faceted {
  category: string;
  brand: string;
  /** Major units. */
  price: number;
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
/** Mask of the narrow bands that rows of the previous release lack. */
const COARSE = 2 ** 9 - 1;

// Filters are words of the index too. Looking for "cable" within a small brand then reads only that brand's products, and a
// walk that stops early never misses the only match.

/** A product's facets as words. */
export function facetWords({ category, brand, price }: Faceted): string[] {
  const band = bandOf(price);
  return [
    EVERYTHING,
    categoryWord(category),
    brandWord(brand),
    ...LEVELS.map((level) => bandWord(band, level)),
  ];
}

/** The filters as an FTS5 condition that follows an expression in brackets. rowFilters() checks exact prices. */
export function matchFacets({ category, brand, minPrice, maxPrice }: Filters, settled: boolean): string {
  const conditions: string[] = [];
  if (category !== undefined) conditions.push(`"${categoryWord(category)}"`);
  if (brand !== undefined) conditions.push(`"${brandWord(brand)}"`);
  if (minPrice !== undefined || maxPrice !== undefined)
    conditions.push(priceRange(bandOf(minPrice ?? 0), bandOf(maxPrice ?? Infinity), settled));
  return conditions.map((condition) => ` AND ${condition}`).join("");
}

/** All products as an FTS5 expression. */
export const matchEverything = (settled: boolean): string =>
  settled ? `"${EVERYTHING}"` : priceRange(0, BAND_MAX, settled);

const brandWord = (brand: string): string => `b_${slug(brand)}`;
const categoryWord = (category: string): string => `c_${slug(category)}`;

const bandWord = (band: number, { shift, name, digits }: Level): string =>
  `${name}_${String(band >> shift).padStart(digits, "0")}`;

/** The first and last band word of a price range, at a level where few prices share a band. */
export function bandRange(min: number, max: number): [from: string, to: string] {
  return [bandWord(bandOf(min), NARROW), bandWord(bandOf(max), NARROW)];
}

function bandOf(price: number): number {
  return Math.min(BAND_MAX, Math.floor(BANDS_PER_OCTAVE * Math.log2(Math.max(1, price))));
}

/**
 * An expression of the widest band words that cover the bands `from` to `to`, both included. Until all rows are reindexed
 * (`settled`), the range is rounded out to the bands that older rows have.
 */
function priceRange(from: number, to: number, settled: boolean): string {
  const found: string[] = [];
  const end = settled ? to : to | COARSE;
  for (let band = settled ? from : from & ~COARSE; band <= end;) {
    const start = band;
    const fits = ({ shift }: Level) => start % 2 ** shift === 0 && start + 2 ** shift - 1 <= end;
    const level = LEVELS.find(fits) ?? NARROWEST;
    found.push(bandWord(band, level));
    band += 2 ** level.shift;
  }
  return `(${found.map((word) => `"${word}"`).join(" OR ")})`;
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^\p{L}\p{N}]+/gu, ".");
}
