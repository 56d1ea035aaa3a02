import * as z from "zod";
import { BUCKETS, type CounterName, type HistogramName, type LabelValues, type MetricName } from "./table.ts";

/**
 * Numbers by metric and series; a series is its label values joined by SEPARATOR. A counter is `[value]`; a histogram
 * is `[sum, ...calls of each bucket, calls above the last]`. An isolate's delta, a minute, an hour and the totals all
 * have this shape, and any two of them can be added.
 */
export const countsSchema = z.record(z.string(), z.record(z.string(), z.array(z.number())));
export type Counts = z.output<typeof countsSchema>;

export const SEPARATOR = "\n";
/** Series of one metric. Further ones are counted together, so that a wrong label cannot fill the memory. */
export const SERIES_MAX = 300;
export const OTHER = "other";

const HISTOGRAM_SIZE = BUCKETS.length + 2;

export function count<Name extends CounterName>(
  counts: Counts,
  name: Name,
  labels: LabelValues<Name>,
  by = 1,
): void {
  const series = seriesOf(counts, name, labels, 1);
  series[0] = (series[0] ?? 0) + by;
}

export function observe<Name extends HistogramName>(
  counts: Counts,
  name: Name,
  labels: LabelValues<Name>,
  seconds: number,
): void {
  const series = seriesOf(counts, name, labels, HISTOGRAM_SIZE);
  const bucket = BUCKETS.findIndex((end) => seconds <= end);
  const index = bucket === -1 ? HISTOGRAM_SIZE - 1 : bucket + 1;
  series[0] = (series[0] ?? 0) + seconds;
  series[index] = (series[index] ?? 0) + 1;
}

/** Adds `more` to `counts`. A series of another shape, stored by an earlier version, restarts. */
export function merge(counts: Counts, more: Counts): void {
  for (const [name, each] of Object.entries(more)) {
    for (const [key, values] of Object.entries(each)) {
      const known = (counts[name] ??= {});
      const place = Object.hasOwn(known, key) ? key : bounded(known, key);
      const old = known[place];
      known[place] =
        old?.length === values.length ? old.map((value, index) => value + (values[index] ?? 0)) : values;
    }
  }
}

/** Returns every series of one metric, with its label values. */
export const seriesIn = (counts: Counts, name: MetricName): { labels: string[]; values: number[] }[] =>
  Object.entries(counts[name] ?? {}).map(([key, values]) => ({ labels: key.split(SEPARATOR), values }));

function seriesOf(counts: Counts, name: string, labels: readonly string[], size: number): number[] {
  const known = (counts[name] ??= {});
  const key = labels.join(SEPARATOR);
  const found = known[key];
  if (found !== undefined) return found;
  return (known[bounded(known, key)] ??= Array.from({ length: size }, () => 0));
}

const bounded = (known: Record<string, number[]>, key: string): string =>
  Object.keys(known).length < SERIES_MAX ? key : key.replace(/[^\n]+/g, OTHER);
