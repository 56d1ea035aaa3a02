import * as z from "zod";

export const availabilitySchema = z.enum([
  "in_stock",
  "out_of_stock",
  "preorder",
  "backorder",
  "discontinued",
  "unknown",
]);
export type Availability = z.output<typeof availabilitySchema>;

/** The availabilities that earlier versions of the tools know. */
export const earlierAvailabilitySchema = z.enum(["in_stock", "out_of_stock", "discontinued"]);

/** Columns of a product that tell its availability. */
export const availabilityColumns = {
  status: z.enum(["active", "discontinued"]),
  /** The word of the imported file. A word that a newer release wrote counts as none. */
  availability: availabilitySchema.nullable().catch(null),
  available_from: z.string().nullable(),
  /** 1 if a warehouse has units, 0 if none has, null if no quantity is known. */
  stocked: z.number().nullable(),
};
type AvailabilityRow = z.output<z.ZodObject<typeof availabilityColumns>>;

const HAS_UNITS = (row: string) =>
  `EXISTS (SELECT 1 FROM stock s WHERE s.product_id = ${row}.id AND s.quantity > 0)`;
const HAS_QUANTITIES = (row: string) => `EXISTS (SELECT 1 FROM stock s WHERE s.product_id = ${row}.id)`;

/** SQL for `stocked` of the product `row`. */
export const stockedOf = (row: string): string =>
  `CASE WHEN ${HAS_UNITS(row)} THEN 1 WHEN ${HAS_QUANTITIES(row)} THEN 0 END`;

/**
 * SQL for whether the product `row` can be bought now, as far as is known: a product without quantities counts, unless the
 * imported file said that it is not in stock.
 */
export const isBuyable = (row: string): string =>
  `(${row}.status = 'active' AND coalesce(${row}.availability, 'in_stock') = 'in_stock' AND (${HAS_UNITS(row)} OR NOT ${HAS_QUANTITIES(row)}))`;

/**
 * The word of the imported file stands, except that "in_stock" without a unit is out of stock. Without a word the quantities
 * decide, and without quantities it is unknown.
 */
export function availabilityOf({ status, availability, stocked }: AvailabilityRow): Availability {
  if (status === "discontinued") return "discontinued";
  if (availability !== null && availability !== "in_stock") return availability;
  if (stocked === null) return availability ?? "unknown";
  return stocked === 1 ? "in_stock" : "out_of_stock";
}

/** Translates for versions that know only whether a product is in stock: what isn't surely is not. */
export const toEarlierAvailability = (
  availability: Availability,
): z.output<typeof earlierAvailabilitySchema> =>
  availability === "in_stock" || availability === "discontinued" ? availability : "out_of_stock";

const BEST_FIRST: readonly Availability[] = [
  "in_stock",
  "preorder",
  "backorder",
  "unknown",
  "out_of_stock",
  "discontinued",
];

/** Returns the availability that serves a shopper most. */
export const bestAvailability = (of: readonly Availability[]): Availability =>
  BEST_FIRST.find((each) => of.includes(each)) ?? "unknown";
