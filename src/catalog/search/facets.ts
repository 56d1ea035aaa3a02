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

/** Half powers of two: band 0 holds all up to 1, band 80 all from 2^40. */
const BANDS = 80;

// Filters are words of the index too: "cable" of one small brand then costs what the brand costs,
// and a walk that stops early never misses the only product that fits.

/** A product's facets, as words. */
export function facetWords({ category, brand, price }: Faceted): string[] {
  return [categoryWord(category), brandWord(brand), priceWord(band(price))];
}

/** The filters as an FTS5 condition to stand behind an expression in brackets; exact prices are checked on the rows. */
export function matchFacets({ category, brand, minPrice, maxPrice }: Filters): string {
  const parts: string[] = [];
  if (category !== undefined) parts.push(`"${categoryWord(category)}"`);
  if (brand !== undefined) parts.push(`"${brandWord(brand)}"`);
  if (minPrice !== undefined || maxPrice !== undefined) {
    const from = band(minPrice ?? 0);
    const bands = Array.from(
      { length: band(maxPrice ?? Infinity) - from + 1 },
      (_, index) => `"${priceWord(from + index)}"`,
    );
    parts.push(`(${bands.join(" OR ")})`);
  }
  return parts.map((part) => ` AND ${part}`).join("");
}

const brandWord = (brand: string): string => `b_${slug(brand)}`;
const categoryWord = (category: string): string => `c_${slug(category)}`;
const priceWord = (number: number): string => `p_${number}`;

function band(price: number): number {
  return Math.min(BANDS, Math.floor(2 * Math.log2(Math.max(1, price))));
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^\p{L}\p{N}]+/gu, ".");
}
