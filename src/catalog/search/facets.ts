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
  { shift: 12, name: "pp" },
  { shift: 9, name: "p" },
  { shift: 6, name: "p6" },
  { shift: 3, name: "p3" },
  { shift: 0, name: "p0" },
];
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
    ...LEVELS.map(({ shift, name }) => `${name}_${band >> shift}`),
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

function bandOf(price: number): number {
  return Math.min(BAND_MAX, Math.floor(BANDS_PER_OCTAVE * Math.log2(Math.max(1, price))));
}

/** The words that cover the bands from one to another, both included, by the widest that fit; wider ones for rows that are not read again. */
function priceRange(from: number, to: number, settled: boolean): string {
  const found: string[] = [];
  const end = settled ? to : to | COARSE;
  for (let band = settled ? from : from & ~COARSE; band <= end;) {
    const start = band;
    const level = LEVELS.find(({ shift }) => start % 2 ** shift === 0 && start + 2 ** shift - 1 <= end) ?? {
      shift: 0,
      name: "p0",
    };
    found.push(`${level.name}_${band >> level.shift}`);
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
