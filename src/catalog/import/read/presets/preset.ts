import type { Unit } from "../amounts.ts";
import type { Separator } from "../number-text.ts";
import { byKey } from "../columns.ts";
import type { Cells, DraftRow, RawRow } from "../rows.ts";

/** One vendor's way to write products. */
export interface Preset {
  /** The name in the report, such as "a Shopify export". */
  title: string;
  /** The unit that the vendor defines for prices; undefined if the file has to say it. */
  unit?: Unit;
  /** The decimal separator that the vendor defines. */
  decimal?: Separator;
  /**
   * Whether invalid optional fields, such as an internal code in the column of barcodes, are left out instead of
   * rejecting the product. A file made for this catalog is checked strictly.
   */
  isLenient: boolean;
  /** Converts rows to products, in the order of the file. */
  drafts(rows: AsyncIterable<RawRow>): AsyncIterable<DraftRow>;
}

/** The category of a product that names none. WooCommerce uses the same word. */
export const UNCATEGORIZED = "Uncategorized";

/** The warehouse of a vendor's single quantity. */
export const MAIN_STOCK = "stock.main";

/** A row with its cells as the file names them, and by key: `Variant SKU` is `variant_sku`. */
export interface KeyedRow {
  line: number;
  cells: Cells;
  row: Record<string, unknown>;
}

export const keyed = ({ line, cells }: { line: number; cells: Cells }): KeyedRow => ({
  line,
  cells,
  row: byKey(cells),
});

/** Converts each row that could be read, and passes on the problems of the others. */
export async function* eachKeyed(
  rows: AsyncIterable<RawRow>,
  convert: (row: KeyedRow) => Iterable<DraftRow>,
): AsyncGenerator<DraftRow> {
  for await (const raw of rows) {
    if ("problem" in raw) yield raw;
    else yield* convert(keyed(raw));
  }
}
