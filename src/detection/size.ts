import * as z from "zod";

/** How much of the stock a call would change. It is planned before the call may run, so that rules can refuse it. */
export const writeSizeSchema = z.object({
  /** Units added or removed, both counted. */
  units: z.number(),
  /** Units that are removed, after what the same call adds of the same product elsewhere. */
  removed: z.number(),
  /** Different products. */
  skus: z.number(),
  /** Products that have units where the call changes them, and none afterwards. */
  emptied: z.number(),
  /** The part of the named stock that is removed, from 0 to 1. */
  share: z.number(),
});
export type WriteSize = z.output<typeof writeSizeSchema>;

/** The parts of a size that add up over calls. */
export const SUMMED = ["units", "removed", "skus", "emptied"] as const;

/** The size of a call that changes nothing, such as a retry whose change was made before. */
export const NO_SIZE: WriteSize = { units: 0, removed: 0, skus: 0, emptied: 0, share: 0 };

/** Returns whether one size goes beyond another in any part. */
export const exceeds = (size: WriteSize, other: WriteSize): boolean =>
  size.share > other.share || SUMMED.some((part) => size[part] > other[part]);
