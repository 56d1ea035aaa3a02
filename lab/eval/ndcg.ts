/** Graded judgments of one query: SKU to grade, 0 to 3. */
export type Grades = ReadonlyMap<string, number>;

const DEPTH = 10;

/** NDCG@10 with gain 2^grade - 1 and discount log2(rank + 1). An unjudged product counts 0. */
export function ndcg(found: readonly string[], grades: Grades): number {
  const ideal = [...grades.values()].toSorted((a, b) => b - a);
  const actual = found.map((sku) => grades.get(sku) ?? 0);
  return dcg(actual) / dcg(ideal);
}

function dcg(grades: readonly number[]): number {
  return grades
    .slice(0, DEPTH)
    .reduce((sum, grade, index) => sum + (2 ** grade - 1) / Math.log2(index + 2), 0);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The middle 95 % of means over resamples with replacement (percentile bootstrap). */
export function bootstrap95(
  values: readonly number[],
  between: (low: number, high: number) => number,
  resamples = 2_000,
): [low: number, high: number] {
  const means = Array.from({ length: resamples }, () =>
    mean(values.map(() => values[between(0, values.length - 1)] ?? 0)),
  ).toSorted((a, b) => a - b);
  return [
    means[Math.floor(resamples * 0.025)] ?? Number.NaN,
    means[Math.floor(resamples * 0.975)] ?? Number.NaN,
  ];
}
