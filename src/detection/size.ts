import * as z from "zod";

/** How much of the stock a call would change. It is planned before the call may run, so that rules can refuse it. */
export const writeSizeSchema = z.object({
  /** Units added or removed, both counted. */
  units: z.number(),
  /** Units that are removed, after what the same call adds of the same product elsewhere. */
  removed: z.number(),
  /** Different products. */
  skus: z.number(),
  /** Products that lose nine tenths or more of their units where the call changes them. */
  emptied: z.number(),
  /** Reservations of other callers that are released. */
  others: z.number().default(0),
  /** The part of all units in stock that is removed, from 0 to 1. */
  of_stock: z.number().default(0),
  /** The part of the named stock that is removed, from 0 to 1. */
  share: z.number(),
});
export type WriteSize = z.output<typeof writeSizeSchema>;

/** The parts that are whole numbers. */
export const COUNTED = ["units", "removed", "skus", "emptied", "others"] as const;
/** The parts of a size that add up over calls. */
export const SUMMED = [...COUNTED, "of_stock"] as const;

/** The size of a call that changes nothing, such as a retry whose change was made before. */
export const NO_SIZE: WriteSize = {
  units: 0,
  removed: 0,
  skus: 0,
  emptied: 0,
  others: 0,
  of_stock: 0,
  share: 0,
};

/**
 * Returns whether one size goes beyond another in any number. Shares do not count: as many units are a greater share once
 * others have taken some.
 */
export const exceeds = (size: WriteSize, other: WriteSize): boolean =>
  COUNTED.some((part) => size[part] > other[part]);
