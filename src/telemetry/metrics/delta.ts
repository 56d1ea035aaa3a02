import * as z from "zod";
import { countsSchema } from "./counts.ts";

/** Counts of one isolate since its last delta. `sequence` rises by one; a delta that is sent again keeps its number. */
export const deltaSchema = z.object({
  isolate: z.string().min(1).max(64),
  sequence: z.int().min(1),
  counts: countsSchema,
});
export type Delta = z.output<typeof deltaSchema>;
