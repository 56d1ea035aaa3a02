import { DAY, HOUR } from "../../detection/window.ts";
import type { AppContext } from "../../app-types.ts";
import { logSurprise } from "../../telemetry/log.ts";
import { HUB_NAME } from "../../telemetry/metrics/hub.ts";
import type { Point, Series } from "../../telemetry/metrics/series.ts";
import { codeWords, number } from "./units.ts";

const MINUTE = 60_000;

/** Milliseconds that a page waits for the metrics before it is shown without them. */
const HUB_DEADLINE_MS = 1_500;

/** Time ranges of the charts, and their steps, in milliseconds. */
export const RANGES = {
  "1h": { label: "1 hour", last: "last hour", spanMs: HOUR, stepMs: MINUTE },
  "24h": { label: "24 hours", last: "last 24 hours", spanMs: DAY, stepMs: 15 * MINUTE },
  "30d": { label: "30 days", last: "last 30 days", spanMs: 30 * DAY, stepMs: 6 * HOUR },
} as const;
export type RangeName = keyof typeof RANGES;

export const rangeOf = (name: string | undefined): RangeName =>
  name !== undefined && isRange(name) ? name : "1h";
const isRange = (name: string): name is RangeName => Object.hasOwn(RANGES, name);

/** Reads the metrics. Returns undefined if they can't be read, because the page must show incidents without them. */
export async function readSeries(c: AppContext, name: RangeName, now: number): Promise<Series | undefined> {
  const { spanMs, stepMs } = RANGES[name];
  try {
    return await c.var.deadline.within(HUB_DEADLINE_MS, async () =>
      c.env.METRICS_HUB.getByName(HUB_NAME).series({ fromMs: now - spanMs, toMs: now, stepMs }),
    );
  } catch (error) {
    logSurprise(error, { correlation_id: c.var.correlationId, what: "dashboard series" });
    return undefined;
  }
}

/** A chart, which is drawn from its table: a column for each series, a row for each moment. */
export interface Chart {
  id: string;
  title: string;
  kind: "bars" | "lines";
  unit: string;
  /** `colour` is a name from public/assets/site.css. */
  columns: { name: string; colour: string; values: (number | null)[]; sum: string }[];
  moments: number[];
}

/** Refusal codes with a column of their own; the others share one. */
const CODES_SHOWN = 5;

export function chartsOf(points: readonly Point[]): Chart[] {
  const moments = points.map(({ at_ms }) => at_ms);
  const counted = (name: string, colour: string, value: (point: Point) => number) => {
    const values = points.map(value);
    return { name, colour, values, sum: number(total(values)) };
  };
  const timed = (name: "p50" | "p95", value: (point: Point) => number | null) => {
    const values = points.map((point) => rounded(value(point)));
    const most = Math.max(0, ...values.map((each) => each ?? 0));
    return { name, colour: name, values, sum: most === 0 ? "" : `${number(most)} ms at most` };
  };
  const reasons = reasonsOf(points).map((codes, index) =>
    counted(codes.length === 1 ? codeWords(codes[0] ?? "") : "others", `c${index + 1}`, ({ refusals }) =>
      total(codes.map((code) => refusals[code] ?? 0)),
    ),
  );
  return [
    {
      id: "calls",
      title: "Calls",
      kind: "bars",
      unit: "",
      columns: [
        counted("answered", "ok", ({ calls, errors, refused }) => calls - errors - refused),
        counted("refused", "refused", ({ refused }) => refused),
        counted("errors", "error", ({ errors }) => errors),
      ],
      moments,
    },
    {
      id: "latency",
      title: "Time to answer",
      kind: "lines",
      unit: "ms",
      columns: [timed("p50", ({ p50_ms }) => p50_ms), timed("p95", ({ p95_ms }) => p95_ms)],
      moments,
    },
    { id: "refusals", title: "Refusals by reason", kind: "bars", unit: "", columns: reasons, moments },
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
