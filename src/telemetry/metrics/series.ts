import { type Counts, merge, seriesIn } from "./counts.ts";
import { BUCKETS, type MetricName } from "./table.ts";

export const MINUTE_MS = 60_000;
const POINTS_MAX = 2_000;

/** Milliseconds since the epoch; `stepMs` is rounded up to whole minutes. */
export interface Range {
  fromMs: number;
  toMs: number;
  stepMs: number;
}

export interface Point {
  /** Start of the step. */
  at_ms: number;
  calls: number;
  errors: number;
  refused: number;
  degraded: number;
  /** Estimated from the histogram's buckets; null if nothing ran. */
  p50_ms: number | null;
  p95_ms: number | null;
  /** By code. */
  refusals: Record<string, number>;
}

export interface ToolTotals {
  name: string;
  calls: number;
  errors: number;
  refused: number;
  p95_ms: number | null;
}

/** Calls, errors and the like leave out discovery, because clients request lists by themselves. */
export interface Series {
  points: Point[];
  /** Over the whole range, most called first. */
  tools: ToolTotals[];
}

/** Counts from one moment on, for a minute or for an hour. */
export interface Bucket {
  at: number;
  counts: Counts;
}

/** Metrics that are kept by time; the others only add to the totals. */
const KEPT: readonly MetricName[] = [
  "mcp_tool_invocations_total",
  "mcp_tool_duration_seconds",
  "mcp_calls_total",
  "mcp_call_duration_seconds",
  "mcp_refusals_total",
  "mcp_degraded_calls_total",
];

export const selectTimedMetrics = (counts: Counts): Counts =>
  Object.fromEntries(KEPT.flatMap((name) => (counts[name] ? [[name, counts[name]]] : [])));

/** Returns the steps at which a range is drawn: whole minutes, and no more than a chart can show. */
export function stepsOf({ fromMs, toMs, stepMs }: Range): { start: number; step: number; length: number } {
  const least = Math.max(stepMs, (toMs - fromMs) / (POINTS_MAX - 1), MINUTE_MS);
  const step = Math.ceil(least / MINUTE_MS) * MINUTE_MS;
  const start = Math.floor(fromMs / step) * step;
  return { start, step, length: Math.max(0, Math.ceil((toMs - start) / step)) };
}

/** Adds up buckets by step and by tool. */
export function seriesOf(buckets: Iterable<Bucket>, range: Range): Series {
  const { start, step, length } = stepsOf(range);
  const steps = Array.from({ length }, (): Counts => ({}));
  const whole: Counts = {};
  for (const { at, counts } of buckets) {
    const into = steps[Math.floor((at - start) / step)];
    if (into === undefined) continue;
    merge(into, counts);
    merge(whole, counts);
  }
  return {
    points: steps.map((counts, index) => pointOf(start + index * step, counts)),
    tools: toolsOf(whole),
  };
}

function pointOf(at: number, counts: Counts): Point {
  const calls = seriesIn(counts, "mcp_calls_total").filter(({ labels: [kind] }) => kind !== "discovery");
  const durations = seriesIn(counts, "mcp_call_duration_seconds")
    .filter(({ labels: [kind] }) => kind !== "discovery")
    .map(({ values }) => values);
  return {
    at_ms: at,
    ...countByStatus(calls.map(({ labels: [, status = ""], values: [value = 0] }) => ({ status, value }))),
    degraded: sum(seriesIn(counts, "mcp_degraded_calls_total").map(({ values: [value = 0] }) => value)),
    p50_ms: quantileMs(durations, 0.5),
    p95_ms: quantileMs(durations, 0.95),
    refusals: Object.fromEntries(
      seriesIn(counts, "mcp_refusals_total").map(({ labels: [code = ""], values: [value = 0] }) => [
        code,
        value,
      ]),
    ),
  };
}

function toolsOf(counts: Counts): ToolTotals[] {
  const invocations = seriesIn(counts, "mcp_tool_invocations_total");
  const durations = seriesIn(counts, "mcp_tool_duration_seconds");
  const names = [...new Set(invocations.map(({ labels: [name = ""] }) => name))];
  const tools = names.map((name) => {
    const own = invocations.filter(({ labels }) => labels[0] === name);
    const took = durations.filter(({ labels }) => labels[0] === name).map(({ values }) => values);
    return {
      name,
      ...countByStatus(own.map(({ labels: [, status = ""], values: [value = 0] }) => ({ status, value }))),
      p95_ms: quantileMs(took, 0.95),
    };
  });
  return tools.toSorted((a, b) => b.calls - a.calls || (a.name < b.name ? -1 : 1));
}

function countByStatus(ended: { status: string; value: number }[]) {
  const of = (wanted: string) =>
    sum(ended.filter(({ status }) => status === wanted).map(({ value }) => value));
  return { calls: sum(ended.map(({ value }) => value)), errors: of("error"), refused: of("refused") };
}

/** Works like Prometheus's histogram_quantile: linear within a bucket; the last bound for values above it. */
export function quantileMs(histograms: readonly number[][], quantile: number): number | null {
  const calls = [...BUCKETS, Infinity].map((_, index) => sum(histograms.map((each) => each[index + 1] ?? 0)));
  const rank = quantile * sum(calls);
  if (rank === 0) return null;
  let below = 0;
  for (const [index, inside] of calls.entries()) {
    const [low, high] = [BUCKETS[index - 1] ?? 0, BUCKETS[index]];
    if (high === undefined) break;
    if (inside > 0 && below + inside >= rank) return 1000 * (low + (high - low) * ((rank - below) / inside));
    below += inside;
  }
  return 1000 * (BUCKETS.at(-1) ?? 0);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
