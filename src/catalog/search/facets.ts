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

// Prices fall into bands of 1/32768 of an octave, and into wider ones of eight each, five times over: a range is a few
// wide bands and the narrow ones at its ends. Narrow enough to keep 69.99 out of a range that begins at 70.
const BANDS_PER_OCTAVE = 32_768;
const LEVELS = [15, 12, 9, 6, 3, 0];
/** The last band holds all prices from 2^40. */
const BAND_MAX = 40 * BANDS_PER_OCTAVE;
/** Stands in every product. */
export const EVERYTHING = "f_all";

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
  // Rows of an older reading have other bands.
  if (settled && (minPrice !== undefined || maxPrice !== undefined)) {
    const bands = priceRange(bandOf(minPrice ?? 0), bandOf(maxPrice ?? Infinity));
    parts.push(`(${bands.map((word) => `"${word}"`).join(" OR ")})`);
  }
  return parts.map((part) => ` AND ${part}`).join("");
}

const brandWord = (brand: string): string => `b_${slug(brand)}`;
const categoryWord = (category: string): string => `c_${slug(category)}`;
const bandWord = (band: number, level: number): string => `p${level}_${band >> level}`;

function bandOf(price: number): number {
  return Math.min(BAND_MAX, Math.floor(BANDS_PER_OCTAVE * Math.log2(Math.max(1, price))));
}

/** The words that cover the bands from one to another, both included, by the widest that fit. */
function priceRange(from: number, to: number): string[] {
  const found: string[] = [];
  for (let band = from; band <= to;) {
    const start = band;
    const level = LEVELS.find((each) => start % 2 ** each === 0 && start + 2 ** each - 1 <= to) ?? 0;
    found.push(bandWord(band, level));
    band += 2 ** level;
  }
  return found;
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^\p{L}\p{N}]+/gu, ".");
}
