import { plainTable } from "../../cli/table.ts";
import { median } from "../support/figures.ts";
import type { Measured, Round } from "./measure.ts";
import type { VariantName } from "./variants.ts";

/** Ratios of calls a second that the full path must reach, with state in memory. */
const TARGETS: { to: VariantName; atLeast: number }[] = [
  { to: "quiet", atLeast: 0.95 },
  { to: "unguarded", atLeast: 0.85 },
  { to: "sdk", atLeast: 0.95 },
  { to: "mcpagent", atLeast: 1.5 },
];

interface Spread {
  median: number;
  min: number;
  max: number;
}

interface Target {
  name: string;
  /** The rounds' ratios: the two were measured within seconds of each other. */
  ratio: Spread;
  /** Median of the rounds' ratios of processor time, which other work on the machine disturbs less. */
  cpuRatio: number;
  atLeast: number;
  met: boolean;
}

export interface Report {
  variants: Record<string, Record<"rps" | "p50_ms" | "cpu_ms", Spread>>;
  targets: Target[];
}

export function summarize(measured: Measured): Report {
  const figuresOf = (rounds: readonly Round[]) => ({
    rps: spread(rounds.map(({ rps }) => rps)),
    p50_ms: spread(rounds.map(({ p50 }) => p50)),
    cpu_ms: spread(rounds.map(({ cpu }) => cpu)),
  });
  const full = measured.get("full") ?? [];
  return {
    variants: Object.fromEntries([...measured].map(([name, rounds]) => [name, figuresOf(rounds)])),
    targets: TARGETS.flatMap(({ to, atLeast }): Target[] => {
      const other = measured.get(to);
      if (other === undefined || full.length === 0) return [];
      const ratios = (key: keyof Round) =>
        spread(full.map((round, index) => round[key] / (other[index]?.[key] ?? Number.NaN)));
      const ratio = ratios("rps");
      const met = ratio.median >= atLeast;
      return [{ name: `full / ${to}`, ratio, cpuRatio: ratios("cpu").median, atLeast, met }];
    }),
  };
}

const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

export function toTable({ variants, targets }: Report): string {
  const [many, one] = ["calls/s, 16 connections", "p50 ms, 1 connection"];
  const table = plainTable(["", many, "min-max", one, "min-max", "workerd CPU ms"]);
  const cells = (each: Spread, digits: number, unit = "") => [
    `${each.median.toFixed(digits)}${unit}`,
    `${each.min.toFixed(digits)}-${each.max.toFixed(digits)}`,
  ];
  for (const [name, { rps, p50_ms, cpu_ms }] of Object.entries(variants))
    table.push([name, ...cells(rps, 0), ...cells(p50_ms, 2), cpu_ms.median.toFixed(2)]);
  for (const { name, ratio, cpuRatio } of targets)
    table.push([name, ...cells(ratio, 2, "x"), "", "", `${cpuRatio.toFixed(2)}x`]);
  return table.toString();
}
