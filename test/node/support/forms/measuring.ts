import type { Form } from "./form.ts";

const SMALL_CATALOG = "--products products.jsonl.gz";
const SMALL_BENCH = `npm run -s bench -- ${SMALL_CATALOG} --starts 1 --rounds 1 --seconds 0.05 --warm-up 4 --callers 4`;

/** Commands that start servers of their own, and measure them. */
export const MEASURING: Record<string, Form> = {
  "npx product-catalog-mcp lab company --days 4": { run: "npx product-catalog-mcp lab company --days 1" },
  "npx product-catalog-mcp lab faults": { ranBy: "test/slow/faults.test.ts" },
  "npx product-catalog-mcp lab scale": { ranBy: "test/slow/scale.test.ts" },
  "npx product-catalog-mcp lab scale --write": {
    like: "npx product-catalog-mcp lab soak --minutes 60 --write",
  },
  "npx product-catalog-mcp lab fuzz": { ranBy: ".ci/run" },
  "npx product-catalog-mcp lab soak": { like: "npx product-catalog-mcp lab soak --minutes 60 --write" },
  "npx product-catalog-mcp lab soak --minutes 60 --write": {
    run: "npx product-catalog-mcp lab soak --write",
  },
  "npx product-catalog-mcp lab bench import": {
    run: "npx product-catalog-mcp lab bench import --products 500",
  },
  "npx product-catalog-mcp lab bench import --against ../other": { notRun: "needs another checkout" },
  "npx product-catalog-mcp lab eval-search --products FILE --judgments FILE": {
    run: `npx product-catalog-mcp lab eval-search ${SMALL_CATALOG} --judgments judgments.csv`,
  },
  "npx product-catalog-mcp lab eval-injections --data FILE": {
    run: "npx product-catalog-mcp lab eval-injections --data injections.jsonl",
  },
  "npm run bench": { like: "npm run bench -- --folder .wrangler --starts 2" },
  "npm run bench -- --check": { like: "npm run bench -- --folder .wrangler --starts 2" },
  "npm run bench -- --variants sdk full": { like: "npm run bench -- --far" },
  "npm run bench -- --variants sdk full --rounds 6 --warm-up 2000": { like: "npm run bench -- --far" },
  // At this size and load it is chance whether the targets are met.
  "npm run bench -- --far": {
    run: `${SMALL_BENCH} --far --variants full first --json --check`,
    codes: [0, 1],
  },
  "npm run bench -- --far --d1 100 --object 20 --kv 10": { like: "npm run bench -- --far" },
  "npm run bench -- --products FILE --variants unguarded full mcpagent --starts 1 --rounds 4 --warm-up 2000":
    {
      like: "npm run bench -- --folder .wrangler --starts 2",
    },
  "npm run bench -- --far --starts 1 --rounds 3 --warm-up 3000": { like: "npm run bench -- --far" },
  "npm run bench -- --products FILE": { like: "npm run bench -- --folder .wrangler --starts 2" },
  // Every variant, once: bundling the six takes minutes. At this size it is chance whether the targets are met.
  "npm run bench -- --folder .wrangler --starts 2": {
    run: `${SMALL_BENCH} --folder .wrangler --check`,
    codes: [0, 1],
  },
  "npm run bench -- search": { run: "npm run -s bench -- search --sizes 200 --rounds 1" },
  "npm run bench -- flood": { like: "npm run bench -- flood --check" },
  "npm run bench -- flood --check": {
    run: "npm run -s bench -- flood --products 200 --seconds 0.3 --flood tools --check",
    codes: [0, 1],
  },
};
