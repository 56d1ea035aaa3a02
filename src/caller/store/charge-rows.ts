import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import { type Bucket, bucketSchema, repeatsSchema } from "../audit/records.ts";
import type { OpenRepeats } from "../audit/repeats.ts";
import type { Charge } from "../rate/sliding-window.ts";
import { readableRows } from "../../telemetry/readable-rows.ts";
import { placesIn } from "./places.ts";
import type { Tables } from "./tables.ts";

// Loose, so that fields of a newer release are written back.
const repeatsTextSchema = z.looseObject({
  of: z.int(),
  decision: z.string(),
  bucket: bucketSchema,
  until: z.int(),
  count: z.int(),
  lastAt: z.int(),
  charges: z.object({ times: z.array(z.int()), weights: z.array(z.int()) }),
  calls: z.array(z.string()).optional(),
});
const openRepeatsRow = z.object({ key: z.string(), text: jsonText.pipe(repeatsTextSchema) });

const chargedRow = z.object({
  at: z.int(),
  weight: z.int().nullable(),
  charges: jsonText.pipe(repeatsSchema.shape.charges).nullable(),
});

/** The charges of rate windows: in records, and in repeats that have no record yet. */
export interface ChargeRows {
  /**
   * Charges to a bucket in records since a moment, in the records' order. Charges of repeats may be older than their record.
   */
  chargedSince(since: number, bucket: Bucket): Charge[];
  openRepeats(): [key: string, repeats: OpenRepeats][];
  saveRepeats(key: string, repeats: OpenRepeats): void;
  dropRepeats(key: string): void;
}

export function chargeRows(tables: Tables): ChargeRows {
  const { select, run } = tables;
  const { lastAt } = placesIn(tables);
  return {
    chargedSince: (since, bucket) =>
      // Reads three values of each record, not all of it: after an eviction there can be many records to read.
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
          tables.reportUnreadable("records")(error);
          // Such a record charged at least one call.
          return [{ at: z.int().parse(row["at"]), weight: 1 }];
        }
        const { at, weight, charges } = data;
        return charges?.map(([then, each]) => ({ at: then, weight: each })) ?? [{ at, weight: weight ?? 0 }];
      }),
    openRepeats: () =>
      readableRows("runs", select("SELECT key, text FROM runs"), openRepeatsRow).map(({ key, text }) => [
        key,
        text,
      ]),
    saveRepeats: (key, saved) =>
      run("INSERT OR REPLACE INTO runs (key, text) VALUES (?, ?)", key, JSON.stringify(saved)),
    dropRepeats: (key) => run("DELETE FROM runs WHERE key = ?", key),
  };
}
