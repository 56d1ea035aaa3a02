import { plainTable } from "../../cli/table.ts";
import { median } from "../support/figures.ts";
import type { Measured, Round } from "./measure.ts";
import type { Trips } from "./trips.ts";
import type { VariantName } from "./variants.ts";

/** A ratio of two variants that must be reached, with state in memory. */
interface Target {
  of: VariantName;
  to: VariantName;
  figure: "rps" | "p50";
  atLeast?: number;
  atMost?: number;
}

const NEAR: readonly Target[] = [
  { of: "full", to: "quiet", figure: "rps", atLeast: 0.95 },
  { of: "full", to: "unguarded", figure: "rps", atLeast: 0.85 },
  { of: "full", to: "sdk", figure: "rps", atLeast: 0.95 },
  { of: "full", to: "mcpagent", figure: "rps", atLeast: 1.5 },
];
const FAR: readonly Target[] = [
  { of: "full", to: "route", figure: "p50", atMost: 1.15 },
  { of: "full", to: "mcpagent", figure: "p50", atMost: 0.75 },
  { of: "first", to: "route", figure: "p50", atMost: 2.5 },
];
/** Trips that a support read may make one after the other: one to the database, its admission and its settlement. */
const SUPPORT_TRIPS = 3;

interface Spread {
  median: number;
  min: number;
  max: number;
}

interface Compared extends Target {
  name: string;
  /** The rounds' ratios: the two were measured within seconds of each other. */
  ratio: Spread;
  /** Median of the rounds' ratios of processor time, which other work on the machine disturbs less. */
  cpuRatio: number;
}

type Figures = Record<"rps" | "p50_ms" | "p95_ms" | "cpu_ms", Spread> & { trips: number | undefined };

export interface Report {
  variants: Partial<Record<VariantName, Figures>>;
  targets: Compared[];
  /** A sentence for each target that was missed. */
  missed: string[];
}

export function summarize(measured: Measured, trips: Trips, isFar: boolean): Report {
  const figuresOf = (name: VariantName, rounds: readonly Round[]): Figures => ({
    rps: spread(rounds.map(({ rps }) => rps)),
    p50_ms: spread(rounds.map(({ p50 }) => p50)),
    p95_ms: spread(rounds.map(({ p95 }) => p95)),
    cpu_ms: spread(rounds.map(({ cpu }) => cpu)),
    trips: trips.get(name),
  });
  const targets = (isFar ? FAR : NEAR).flatMap((target): Compared[] => {
    const [rounds = [], others = []] = [measured.get(target.of), measured.get(target.to)];
    if (rounds.length === 0 || others.length === 0) return [];
    const ratios = (key: keyof Round) =>
      spread(rounds.map((round, index) => round[key] / (others[index]?.[key] ?? Number.NaN)));
    const name = `${target.of} / ${target.to}`;
    return [{ ...target, name, ratio: ratios(target.figure), cpuRatio: ratios("cpu").median }];
  });
  const missed = targets.flatMap(({ name, ratio, atLeast = -Infinity, atMost = Infinity }) => {
    if (ratio.median < atLeast)
      return [`${name} is ${ratio.median.toFixed(2)}, below its target of ${atLeast}.`];
    return ratio.median > atMost
      ? [`${name} is ${ratio.median.toFixed(2)}, above its target of ${atMost}.`]
      : [];
  });
  const support = trips.get("support") ?? 0;
  if (isFar && Math.round(support) > SUPPORT_TRIPS)
    missed.push(`A support read makes ${support} trips, more than its target of ${SUPPORT_TRIPS}.`);
  return {
    variants: Object.fromEntries([...measured].map(([name, rounds]) => [name, figuresOf(name, rounds)])),
    targets,
    missed,
  };
}

/** The medians alone, for programs. */
export const briefly = ({ variants }: Report) => ({
  variants: Object.fromEntries(
    Object.entries(variants).map(([name, { rps, p50_ms, trips }]) => [
      name,
      { rps: rounded(rps.median), p50_ms: rounded(p50_ms.median), trips },
    ]),
  ),
});

const rounded = (value: number): number => Math.round(value * 100) / 100;

const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

const MANY = "calls/s, 16 connections";

/** The table of calls measured here. */
export function toTable({ variants, targets }: Report): string {
  const one = "p50 ms, 1 connection";
  const table = plainTable(["", MANY, "min-max", one, "min-max", "workerd CPU ms", "trips"]);
  for (const [name, { rps, p50_ms, cpu_ms, trips = "" }] of Object.entries(variants))
    table.push([name, ...cells(rps, 0), ...cells(p50_ms, 2), cpu_ms.median.toFixed(2), trips]);
  for (const { name, ratio, cpuRatio } of targets)
    table.push([name, ...cells(ratio, 2, "x"), "", "", `${cpuRatio.toFixed(2)}x`, ""]);
  return table.toString();
}

/** The table of calls measured far away, where the wait of one call counts. */
export function toFarTable({ variants, targets }: Report): string {
  const table = plainTable(["", "p50 ms, 1 connection", "min-max", "p95 ms", "min-max", "trips"]);
  for (const [name, { p50_ms, p95_ms, trips = "" }] of Object.entries(variants))
    table.push([name, ...cells(p50_ms, 1), ...cells(p95_ms, 1), trips]);
  for (const { name, ratio } of targets) table.push([name, ...cells(ratio, 2, "x"), "", "", ""]);
  return table.toString();
}

const cells = (each: Spread, digits: number, unit = ""): [string, string] => [
  `${each.median.toFixed(digits)}${unit}`,
  `${each.min.toFixed(digits)}-${each.max.toFixed(digits)}`,
];
