import { median } from "../eval/ndcg.ts";
import type { Measured, Series } from "./measure.ts";
import { VARIANTS, type VariantName } from "./variants.ts";
import { plainTable } from "../../cli/table.ts";

/**
 * Ratios that the full path must reach with state in memory, where the disk's write latency does not count.
 */
const TARGETS: { of: VariantName; to: VariantName; atLeast: number }[] = [
  { of: "full", to: "quiet", atLeast: 0.95 },
  { of: "full", to: "unguarded", atLeast: 0.85 },
  { of: "full", to: "sdk", atLeast: 0.95 },
  { of: "full", to: "mcpagent", atLeast: 1.5 },
];

interface Spread {
  median: number;
  min: number;
  max: number;
}

export interface Target {
  name: string;
  /** Spread of the rounds' ratios. */
  ratio: Spread;
  /** Median of the rounds' ratios of processor time, which other work on the machine disturbs less. */
  cpuRatio: number;
  atLeast: number;
  met: boolean;
}

interface Figures {
  rps: number;
  p50_ms: number;
  rps_range: number[];
  p50_ms_range: number[];
  cpu_ms: number;
}

export interface Report {
  /** Those that were measured. */
  variants: Partial<Record<VariantName, Figures>>;
  targets: Target[];
}

export function summarize(measured: Measured): Report {
  const isMeasured = (name: VariantName) => measured[name].rps.length > 0;
  const figures = VARIANTS.filter(isMeasured).map((name) => [name, figuresOf(measured[name])] as const);
  return {
    variants: Object.fromEntries(figures),
    // Round by round: the two were measured within seconds of each other.
    targets: TARGETS.filter(({ of, to }) => isMeasured(of) && isMeasured(to)).map(({ of, to, atLeast }) => {
      const ratio = spread(ratios(measured[of].rps, measured[to].rps));
      const cpuRatio = median(ratios(measured[of].cpu, measured[to].cpu));
      return { name: `${of} / ${to}`, ratio, cpuRatio, atLeast, met: ratio.median >= atLeast };
    }),
  };
}

function figuresOf(series: Series): Figures {
  const [rps, p50] = [spread(series.rps), spread(series.p50)];
  return {
    rps: round(rps.median, 1),
    p50_ms: round(p50.median, 2),
    rps_range: [round(rps.min, 1), round(rps.max, 1)],
    p50_ms_range: [round(p50.min, 2), round(p50.max, 2)],
    cpu_ms: round(median(series.cpu), 2),
  };
}

const ratios = (of: readonly number[], to: readonly number[]) =>
  of.map((value, index) => value / (to[index] ?? Number.NaN));

export function toTable({ variants, targets }: Report): string {
  const table = plainTable([
    "",
    "calls/s, 16 connections",
    "min-max",
    "p50 ms, 1 connection",
    "min-max",
    "workerd CPU ms",
  ]);
  const range = ([min = 0, max = 0]: number[], digits: number) =>
    `${min.toFixed(digits)}-${max.toFixed(digits)}`;
  for (const name of VARIANTS) {
    const figures = variants[name];
    if (figures === undefined) continue;
    const { rps, rps_range, p50_ms, p50_ms_range, cpu_ms } = figures;
    table.push([
      name,
      rps.toFixed(0),
      range(rps_range, 0),
      p50_ms.toFixed(2),
      range(p50_ms_range, 2),
      cpu_ms.toFixed(2),
    ]);
  }
  for (const { name, ratio, cpuRatio } of targets) {
    const [times, cpuTimes] = [`${ratio.median.toFixed(2)}x`, `${cpuRatio.toFixed(2)}x`];
    table.push([name, times, range([ratio.min, ratio.max], 2), "", "", cpuTimes]);
  }
  return table.toString();
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

const round = (value: number, digits: number) => Number(value.toFixed(digits));
