import { expect, it } from "vitest";
import { noComparison } from "../../src/catalog/import/comparison.ts";
import { questionsAbout } from "../../src/catalog/import/questions.ts";

it.each([
  { of: "half of the catalog", known: 50, missing: 50, removeMissing: true, asks: [] },
  { of: "fewer", known: 49, missing: 50, removeMissing: true, asks: ["shrunk"] },
  { of: "a catalog of other products", known: 0, missing: 1, removeMissing: true, asks: ["shrunk"] },
  { of: "an empty catalog", known: 0, missing: 0, removeMissing: true, asks: [] },
  { of: "fewer, but none is discontinued", known: 1, missing: 99, removeMissing: false, asks: [] },
  { of: "half of a feed's rows", known: 9, missing: 0, rows: 50, rowsBefore: 100, asks: [] },
  { of: "fewer of a feed's rows", known: 9, missing: 0, rows: 49, rowsBefore: 100, asks: ["shrunk"] },
  { of: "1% of prices that jump", known: 100, missing: 0, jumps: 1, asks: [] },
  { of: "more prices that jump", known: 100, missing: 0, jumps: 2, asks: ["prices"] },
  { of: "both", known: 1, missing: 99, jumps: 1, removeMissing: true, asks: ["shrunk", "prices"] },
])(
  "asks a person about changes that look like a mistake: $of",
  ({ known, missing, jumps = 0, removeMissing = false, rows = 100, rowsBefore = null, asks }) => {
    const comparison = { ...noComparison(), unchanged: known, missing, price_jumps: jumps };
    expect(questionsAbout({ rows, rowsBefore, comparison, removeMissing })).toEqual(asks);
  },
);
