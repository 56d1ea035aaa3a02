import * as z from "zod";
import { countsSchema } from "./counts.ts";

/** What one isolate has counted since its last delta. `sequence` rises by one; a delta sent again keeps its own. */
export const deltaSchema = z.object({
  isolate: z.string().min(1).max(64),
  sequence: z.int().min(1),
  counts: countsSchema,
});
export type Delta = z.output<typeof deltaSchema>;
