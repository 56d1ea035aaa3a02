import { expect, it } from "vitest";
import { wilson95 } from "../../cli/replay/wilson.ts";

// Expected values by the formula without continuity correction, computed separately.
it.each([
  [0, 10, 0, 0.2775],
  [1, 10, 0.0179, 0.4042],
  [5, 10, 0.2366, 0.7634],
  [10, 10, 0.7225, 1],
  [0, 2_125, 0, 0.0018],
  [0, 0, 0, 1],
])("%i of %i", (flagged, of, low, high) => {
  const [from, to] = wilson95(flagged, of);
  expect(from).toBeCloseTo(low, 4);
  expect(to).toBeCloseTo(high, 4);
});
