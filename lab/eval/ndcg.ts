import { chance } from "../../cli/sample/chance.ts";
import { mean } from "../support/figures.ts";
import type { Grades } from "./read-data.ts";

const DEPTH = 10;

/** NDCG@10 with gain 2^grade - 1 and discount log2(rank + 1). An unjudged product counts 0. */
export function ndcg(found: readonly string[], grades: Grades): number {
  const ideal = [...grades.values()].toSorted((a, b) => b - a);
  return dcg(found.map((sku) => grades.get(sku) ?? 0)) / dcg(ideal);
}

const dcg = (grades: readonly number[]): number =>
  grades.slice(0, DEPTH).reduce((sum, grade, index) => sum + (2 ** grade - 1) / Math.log2(index + 2), 0);

export interface Spread {
  mean: number;
  ci95: [low: number, high: number];
}

const RESAMPLES = 2_000;

/** The mean, and the middle 95 % of means over resamples with replacement (percentile bootstrap). */
export function spread(values: readonly number[]): Spread {
  const { between } = chance(1);
  const means = Array.from({ length: RESAMPLES }, () =>
    mean(values.map(() => values[between(0, values.length - 1)] ?? 0)),
  ).toSorted((a, b) => a - b);
  const at = (share: number) => means[Math.floor(RESAMPLES * share)] ?? Number.NaN;
  return { mean: mean(values), ci95: [at(0.025), at(0.975)] };
}
