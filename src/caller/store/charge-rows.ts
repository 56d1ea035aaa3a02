import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import { type Bucket, bucketSchema, repeatsSchema } from "../audit/records.ts";
import type { Run } from "../audit/repeats.ts";
import type { Charge } from "../rate/sliding-window.ts";
import { readableRows } from "../../telemetry/readable-rows.ts";
import { placesIn } from "./places.ts";
import type { Tables } from "./tables.ts";

// Loose: what a later release has added is written back with the rest.
const runSchema = z.looseObject({
  of: z.int(),
  decision: z.string(),
  bucket: bucketSchema,
  until: z.int(),
  count: z.int(),
  lastAt: z.int(),
  charges: z.object({ times: z.array(z.int()), weights: z.array(z.int()) }),
  calls: z.array(z.string()).optional(),
});
const runRow = z.object({ key: z.string(), text: jsonText.pipe(runSchema) });

const chargedRow = z.object({
  at: z.int(),
  weight: z.int().nullable(),
  charges: jsonText.pipe(repeatsSchema.shape.charges).nullable(),
});

/** What calls have used of their rate windows: charges in records, and runs of repeated calls that are no records yet. */
export interface ChargeRows {
  /** What records since a moment have charged to a bucket, in their order; a run's charges may be older than its record. */
  chargedSince(since: number, bucket: Bucket): Charge[];
  runs(): [key: string, run: Run][];
  saveRun(key: string, run: Run): void;
  dropRun(key: string): void;
}

export function chargeRows(tables: Tables): ChargeRows {
  const { select, run } = tables;
  const { lastAt } = placesIn(tables);
  return {
    chargedSince: (since, bucket) =>
      // Three numbers of each record, and not the record: an object that comes back to memory has many to look at.
      [
        ...select(
          `SELECT at, text ->> 'weight' AS weight, text ->> 'charges' AS charges FROM records
           WHERE seq > ? AND CASE WHEN json_valid(text) THEN text ->> 'bucket' END = ? ORDER BY seq`,
          lastAt(since),
          bucket,
        ),
      ].flatMap((row) => {
        const { success, data, error } = chargedRow.safeParse(row);
        if (!success) {
          tables.tell("records")(error);
          // At least one call was charged by it.
          return [{ at: z.int().parse(row["at"]), weight: 1 }];
        }
        const { at, weight, charges } = data;
        return charges?.map(([then, each]) => ({ at: then, weight: each })) ?? [{ at, weight: weight ?? 0 }];
      }),
    runs: () =>
      readableRows("runs", select("SELECT key, text FROM runs"), runRow).map(({ key, text }) => [key, text]),
    saveRun: (key, saved) =>
      run("INSERT OR REPLACE INTO runs (key, text) VALUES (?, ?)", key, JSON.stringify(saved)),
    dropRun: (key) => run("DELETE FROM runs WHERE key = ?", key),
  };
}
