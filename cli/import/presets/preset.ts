import type { Unit } from "../amounts.ts";
import type { Separator } from "../number-text.ts";
import type { DraftRow, RawRow } from "../rows.ts";

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
