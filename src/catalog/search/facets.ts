/** What narrows a search; prices in major units of the product's own currency. */
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

// Prices fall into bands of 1/8192 of an octave, and into wider ones of eight each, four times over: a range is a few
// wide bands and the narrow ones at its ends. Narrow enough to keep 69.99 out of a range that begins at 70. The two
// widest have the names that the release before used, so that either finds the other's rows.
const BANDS_PER_OCTAVE = 8_192;
const LEVELS = [
  { shift: 12, name: "pp", digits: 0 },
  { shift: 9, name: "p", digits: 0 },
  // With leading zeros, so that their order as words is that of the prices.
  { shift: 6, name: "p6", digits: 6 },
  { shift: 3, name: "p3", digits: 6 },
  { shift: 0, name: "p0", digits: 6 },
] as const;
const [, , , NARROW, NARROWEST] = LEVELS;
type Level = (typeof LEVELS)[number];
/** The last band holds all prices from 2^40. */
const BAND_MAX = 40 * BANDS_PER_OCTAVE;
/** Stands in every product. */
const EVERYTHING = "f_all";
/** The bands that rows of the release before have. */
const COARSE = 2 ** 9 - 1;

// Filters are words of the index too: "cable" of one small brand then costs what the brand costs,
// and a walk that stops early never misses the only product that fits.

/** A product's facets, as words. */
export function facetWords({ category, brand, price }: Faceted): string[] {
  const band = bandOf(price);
  return [
    EVERYTHING,
    categoryWord(category),
    brandWord(brand),
    ...LEVELS.map((level) => bandWord(band, level)),
  ];
}

/** The filters as an FTS5 condition to stand behind an expression in brackets; exact prices are checked on the rows. */
export function matchFacets({ category, brand, minPrice, maxPrice }: Filters, settled: boolean): string {
  const parts: string[] = [];
  if (category !== undefined) parts.push(`"${categoryWord(category)}"`);
  if (brand !== undefined) parts.push(`"${brandWord(brand)}"`);
  if (minPrice !== undefined || maxPrice !== undefined)
    parts.push(priceRange(bandOf(minPrice ?? 0), bandOf(maxPrice ?? Infinity), settled));
  return parts.map((part) => ` AND ${part}`).join("");
}

/** All products as an FTS5 expression. */
export const matchEverything = (settled: boolean): string =>
  settled ? `"${EVERYTHING}"` : priceRange(0, BAND_MAX, settled);

const brandWord = (brand: string): string => `b_${slug(brand)}`;
const categoryWord = (category: string): string => `c_${slug(category)}`;

const bandWord = (band: number, { shift, name, digits }: Level): string =>
  `${name}_${String(band >> shift).padStart(digits, "0")}`;

/** The first and the last word of the bands from a price to another, narrow enough that few prices share one. */
export function bandRange(min: number, max: number): [from: string, to: string] {
  return [bandWord(bandOf(min), NARROW), bandWord(bandOf(max), NARROW)];
}

function bandOf(price: number): number {
  return Math.min(BAND_MAX, Math.floor(BANDS_PER_OCTAVE * Math.log2(Math.max(1, price))));
}

/** The words that cover the bands from one to another, both included, by the widest that fit; wider ones for rows that are not read again. */
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
