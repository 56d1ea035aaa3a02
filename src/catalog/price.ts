// A product's price at a moment: the regular one or, while a sale runs, the sale's. No row is written when a sale starts or
// ends. The index holds the price bands of both prices (search/facets.ts), and these conditions choose by the time.

/** SQL for the price of the product `row` in minor units. `now` is SQL for milliseconds since the epoch. */
export const currentPrice = (row: string, now: string): string =>
  `iif(${row}.sale_minor < ${row}.price_minor AND coalesce(${row}.sale_starts_at, 0) <= ${now} AND ${now} < coalesce(${row}.sale_ends_at, 1e15), ${row}.sale_minor, ${row}.price_minor)`;

/** SQL for that price in major units. */
export const currentMajorPrice = (row: string, now: string): string =>
  `${currentPrice(row, now)} * 1.0 / ${row}.minor_per_major`;
