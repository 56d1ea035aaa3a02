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

// Prices fall into bands, on two scales: fine ones of 1/16 of an octave (4 % wide), and coarse ones of
// eight fine ones. A range is then a few coarse bands and the fine ones at its ends.
const FINE_PER_OCTAVE = 16;
const FINE_PER_COARSE = 8;
/** The last band holds all from 2^40. */
const FINE_MAX = 40 * FINE_PER_OCTAVE;

// Filters are words of the index too: "cable" of one small brand then costs what the brand costs,
// and a walk that stops early never misses the only product that fits.

/** A product's facets, as words. */
export function facetWords({ category, brand, price }: Faceted): string[] {
  const band = fineBand(price);
  return [
    categoryWord(category),
    brandWord(brand),
    fineWord(band),
    coarseWord(Math.floor(band / FINE_PER_COARSE)),
  ];
}

/** The filters as an FTS5 condition to stand behind an expression in brackets; exact prices are checked on the rows. */
export function matchFacets({ category, brand, minPrice, maxPrice }: Filters): string {
  const parts: string[] = [];
  if (category !== undefined) parts.push(`"${categoryWord(category)}"`);
  if (brand !== undefined) parts.push(`"${brandWord(brand)}"`);
  if (minPrice !== undefined || maxPrice !== undefined) {
    const bands = priceRange(fineBand(minPrice ?? 0), fineBand(maxPrice ?? Infinity));
    parts.push(`(${bands.map((word) => `"${word}"`).join(" OR ")})`);
  }
  return parts.map((part) => ` AND ${part}`).join("");
}

const brandWord = (brand: string): string => `b_${slug(brand)}`;
const categoryWord = (category: string): string => `c_${slug(category)}`;
const fineWord = (band: number): string => `p_${band}`;
const coarseWord = (band: number): string => `pp_${band}`;

function fineBand(price: number): number {
  return Math.min(FINE_MAX, Math.floor(FINE_PER_OCTAVE * Math.log2(Math.max(1, price))));
}

/** The words that cover the fine bands from one to another, both included. */
function priceRange(from: number, to: number): string[] {
  const found: string[] = [];
  for (let band = from; band <= to;) {
    const isCoarse = band % FINE_PER_COARSE === 0 && band + FINE_PER_COARSE - 1 <= to;
    found.push(isCoarse ? coarseWord(band / FINE_PER_COARSE) : fineWord(band));
    band += isCoarse ? FINE_PER_COARSE : 1;
  }
  return found;
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^\p{L}\p{N}]+/gu, ".");
}
