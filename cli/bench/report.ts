import { median } from "../eval/ndcg.ts";
import { type Measured, byVariant } from "./measure.ts";
import { VARIANTS, type VariantName } from "./variants.ts";
import { plainTable } from "../table.ts";

/** What the full path must reach, with state in memory: there the disk's write latency is not what is measured. */
const TARGETS: { of: VariantName; to: VariantName; atLeast: number }[] = [
  { of: "full", to: "quiet", atLeast: 0.95 },
  { of: "full", to: "unguarded", atLeast: 0.85 },
  { of: "full", to: "mcpagent", atLeast: 1.5 },
];

interface Spread {
  median: number;
  min: number;
  max: number;
}

export interface Target {
  name: string;
  /** Of the rounds' ratios. */
  ratio: Spread;
  atLeast: number;
  met: boolean;
}

export interface Report {
  variants: Record<
    VariantName,
    { rps: number; p50_ms: number; rps_range: number[]; p50_ms_range: number[]; cpu_ms: number }
  >;
  targets: Target[];
}

export function summarize(measured: Measured): Report {
  return {
    variants: byVariant((name) => {
      const [rps, p50] = [spread(measured[name].rps), spread(measured[name].p50)];
      return {
        rps: round(rps.median, 1),
        p50_ms: round(p50.median, 2),
        rps_range: [round(rps.min, 1), round(rps.max, 1)],
        p50_ms_range: [round(p50.min, 2), round(p50.max, 2)],
        cpu_ms: round(median(measured[name].cpu), 2),
      };
    }),
    // Round by round: the two were measured within seconds of each other.
    targets: TARGETS.map(({ of, to, atLeast }) => {
      const ratio = spread(
        measured[of].rps.map((value, index) => value / (measured[to].rps[index] ?? Number.NaN)),
      );
      return { name: `${of} / ${to}`, ratio, atLeast, met: ratio.median >= atLeast };
    }),
  };
}

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
    const { rps, rps_range, p50_ms, p50_ms_range, cpu_ms } = variants[name];
    table.push([
      name,
      rps.toFixed(0),
      range(rps_range, 0),
      p50_ms.toFixed(2),
      range(p50_ms_range, 2),
      cpu_ms.toFixed(2),
    ]);
  }
  for (const { name, ratio } of targets) {
    table.push([name, `${ratio.median.toFixed(2)}x`, range([ratio.min, ratio.max], 2), "", "", ""]);
  }
  return table.toString();
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

const round = (value: number, digits: number) => Number(value.toFixed(digits));
