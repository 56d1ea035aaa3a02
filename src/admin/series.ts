import { DAY, HOUR } from "../flow/window.ts";
import { logSurprise } from "../telemetry/log.ts";
import { HUB_NAME } from "../telemetry/metrics/hub.ts";
import type { Point, Series } from "../telemetry/metrics/series.ts";

const MINUTE = 60_000;

/** What a chart can show: how far back, in which steps. Milliseconds. */
export const RANGES = {
  "1h": { label: "1 hour", spanMs: HOUR, stepMs: MINUTE },
  "24h": { label: "24 hours", spanMs: DAY, stepMs: 15 * MINUTE },
  "30d": { label: "30 days", spanMs: 30 * DAY, stepMs: 6 * HOUR },
} as const;
export type RangeName = keyof typeof RANGES;

export const rangeOf = (name: string | undefined): RangeName =>
  name !== undefined && isRange(name) ? name : "1h";
const isRange = (name: string): name is RangeName => Object.hasOwn(RANGES, name);

/** Undefined where the metrics can't be read: what is urgent on the page does not wait for them. */
export async function readSeries(env: Env, name: RangeName, now: number): Promise<Series | undefined> {
  const { spanMs, stepMs } = RANGES[name];
  try {
    const hub = env.METRICS_HUB.getByName(HUB_NAME);
    return await hub.series({ fromMs: now - spanMs, toMs: now, stepMs });
  } catch (error) {
    logSurprise(error, { what: "dashboard series" });
    return undefined;
  }
}

/** One chart, which is drawn from its table: a column of numbers for each thing, a row for each moment. */
export interface Chart {
  id: string;
  title: string;
  kind: "bars" | "lines";
  unit: string;
  /** `colour` names one of those of public/assets/site.css. */
  columns: { name: string; colour: string; values: (number | null)[] }[];
  moments: number[];
  /** What it shows, in a sentence. */
  summary: string;
}

/** Codes that a chart tells apart; the others are one column. */
const CODES_SHOWN = 5;

export function chartsOf(points: readonly Point[]): Chart[] {
  const moments = points.map(({ at_ms }) => at_ms);
  const column = (name: string, colour: string, value: (point: Point) => number | null) => ({
    name,
    colour,
    values: points.map(value),
  });
  const calls = [
    column("Answered", "ok", ({ calls: all, errors, refused }) => all - errors - refused),
    column("Refused", "refused", ({ refused }) => refused),
    column("Errors", "error", ({ errors }) => errors),
  ];
  const times = [
    column("p50", "p50", ({ p50_ms }) => rounded(p50_ms)),
    column("p95", "p95", ({ p95_ms }) => rounded(p95_ms)),
  ];
  const reasons = reasonsOf(points).map((codes, index) =>
    column(codes.length === 1 ? (codes[0] ?? "") : "other", `c${index + 1}`, ({ refusals }) =>
      total(codes.map((code) => refusals[code] ?? 0)),
    ),
  );
  const sums = (columns: Chart["columns"]) =>
    columns.map(({ name, values }) => `${total(values.map((value) => value ?? 0))} ${name}`).join(", ");
  const slowest = Math.max(0, ...(times[1]?.values ?? []).map((value) => value ?? 0));
  return [
    { id: "calls", title: "Calls", kind: "bars", unit: "", columns: calls, moments, summary: `${sums(calls)}.` },
    {
      id: "latency",
      title: "Time to answer",
      kind: "lines",
      unit: "ms",
      columns: times,
      moments,
      summary: slowest === 0 ? "No call yet." : `p95 was ${slowest} ms at most.`,
    },
    {
      id: "refusals",
      title: "Refusals by reason",
      kind: "bars",
      unit: "",
      columns: reasons,
      moments,
      summary: reasons.length === 0 ? "Nothing was refused." : `${sums(reasons)}.`,
    },
  ];
}

/** The codes of each column, the most frequent first. */
function reasonsOf(points: readonly Point[]): string[][] {
  const counts = new Map<string, number>();
  for (const { refusals } of points)
    for (const [code, count] of Object.entries(refusals)) counts.set(code, (counts.get(code) ?? 0) + count);
  const codes = [...counts]
    .filter(([, count]) => count > 0)
    .toSorted(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
    .map(([code]) => code);
  const rest = codes.slice(CODES_SHOWN);
  return [...codes.slice(0, CODES_SHOWN).map((code) => [code]), ...(rest.length > 0 ? [rest] : [])];
}

const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms * 10) / 10);
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
