import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { generateProducts } from "../../cli/sample/generate.ts";
import { importCatalog } from "../../src/catalog/import/import-catalog.ts";

const ROWS = 4_000;
/** Turns of the event loop that writing a chunk takes: a request and its answer take some each. */
const TURNS = 3;
const ignore = () => {};

it("writes a chunk while the next one is read", async () => {
  let read = 0;
  async function* rows() {
    for (const record of generateProducts(ROWS, 1)) yield { line: ++read, record };
  }
  const written: { begun: number; ended: number }[] = [];
  await importCatalog(
    rows(),
    {
      statementMax: 500_000,
      begin: async () => 0,
      async stage(statements) {
        if (statements.length === 0) return;
        const begun = read;
        for (let turns = 0; turns < TURNS; turns++) await turn();
        written.push({ begun, ended: read });
      },
      compare: async () => undefined,
      query: async () => undefined,
      apply: async () => {},
      drop: async () => {},
    },
    {
      source: "Generated products",
      strict: true,
      dryRun: false,
      removeMissing: false,
      isAccepted: true,
      version: undefined,
      flagged: () => ({ count: 0, found: [], keptOut: false }),
      onProgress: ignore,
      onBadRow: ignore,
      onReview: ignore,
      onApply: ignore,
    },
  );
  const [first = { begun: 0, ended: ROWS }] = written;
  expect(first.begun).toBeLessThan(ROWS / 2);
  expect(first.ended).toBeGreaterThan(first.begun);
  // The next chunk is about as long as the first one, which ends where the write begins.
  expect(first.ended - first.begun).toBeLessThan(first.begun / 2);
});
