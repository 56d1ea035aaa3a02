import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { createCatalog } from "../../../src/catalog/repository.ts";
import { runBatch } from "../../../src/database/run-batch.ts";
import { fill, keyboard, lamp, shirt } from "../support/catalog.ts";
import recorded from "./release-0.1.0/search-statements.json";

// After `wrangler rollback` the code of release 0.1.0 meets this schema and the rows that this code wrote. The file holds
// the statements that it then runs, as recorded from that release: searches, and an import of one product.

const statements = z.array(
  z.object({ sql: z.string(), values: z.array(z.union([z.string(), z.number(), z.null()])) }),
);
const { searches, importing } = z
  .object({
    searches: z.array(z.object({ kind: z.string(), sku: z.string(), statements })),
    importing: statements,
  })
  .parse(recorded);

beforeAll(() => fill([keyboard, shirt, lamp]));

describe("after a rollback release 0.1.0", () => {
  it.each(searches)("finds products by $kind", async ({ sku, statements: asked }) => {
    const answers = [];
    for (const statement of asked) answers.push(...(await runBatch(env.DB, [statement])));
    expect(JSON.stringify(answers)).toContain(sku);
  });

  it("imports a product, which this code finds once it is back", async () => {
    await runBatch(env.DB, importing);
    const search = () =>
      createCatalog(env.DB).search({
        query: "walnut stool",
        maxPrice: 89,
        sort: "relevance",
        limit: 1,
        now: Date.now(),
      });
    // The first search reads the rows that the older release wrote again.
    expect((await search()).products).toMatchObject([{ sku: "OLD-1" }]);
    expect((await search()).products).toMatchObject([{ sku: "OLD-1" }]);
    expect(await env.DB.prepare("SELECT unread_from FROM catalog_state").first("unread_from")).toBeNull();
    expect(
      await env.DB.prepare("SELECT products FROM word_counts WHERE word = 'walnut'").first("products"),
    ).toBe(1);
  });
});
