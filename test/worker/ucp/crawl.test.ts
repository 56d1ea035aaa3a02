import { beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { generateProducts } from "../../../cli/sample/generate.ts";
import { bearer } from "../identity/support/deployed.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { recordsOf } from "../support/caller.ts";
import { fill, product } from "../support/catalog.ts";
import { newAddress } from "../support/clients.ts";
import { ask } from "../support/desk.ts";
import { env } from "cloudflare:workers";
import { askUcp, publishProfiles } from "./support.ts";

// Products that are not variants, so that each page holds as many products as it asks for.
const skus = Array.from({ length: 420 }, (_, index) => `CRAWL-${index}`);
publishProfiles();
beforeAll(() => fill([...generateProducts(20, 1), ...skus.map((sku) => product({ sku }))]));

type As = Record<string, string>;
/** Reads products by their numbers, 20 at a time. */
const ways = {
  ours: async (as: As, asked: string[]) => {
    const { refusal, value } = await ask(as, "query_stock", { skus: asked });
    return { stopped: codeOf(refusal), got: value === undefined ? 0 : asked.length };
  },
  ucp: async (as: As, asked: string[]) => {
    const { error, value } = await askUcp("lookup_catalog", { ids: asked }, as);
    return { stopped: codeOf(error?.data), got: value === undefined ? 0 : asked.length };
  },
};
const codeOf = (details: unknown) => z.looseObject({ code: z.string() }).safeParse(details).data?.code;

/** Returns how many products a caller got before it was stopped, and by which code. */
async function crawl(as: As, wayOf: (page: number) => keyof typeof ways) {
  let total = 0;
  for (let page = 0; page * 20 < skus.length; page++) {
    const { stopped, got } = await ways[wayOf(page)](as, skus.slice(page * 20, page * 20 + 20));
    total += got;
    if (stopped !== undefined) return { total, stopped };
  }
  return { total, stopped: "never" };
}

const named = async () => {
  const user = await newUser(["shopper"]);
  return { user, as: bearer((await newKey(user)).secret) };
};
const wayOfPage: Record<string, (page: number) => keyof typeof ways> = {
  ours: () => "ours",
  ucp: () => "ucp",
  mixed: (page: number) => (page % 2 === 0 ? "ours" : "ucp"),
};

it("a crawl over UCP, over the catalog's own tools, and over both stops at the same product", async () => {
  const stops = [];
  for (const wayOf of Object.values(wayOfPage)) stops.push(await crawl((await named()).as, wayOf));
  expect(stops).toEqual(Array.from({ length: 3 }, () => ({ total: 180, stopped: "rate_limited" })));
});

it("so does one of an anonymous address", async () => {
  const stops = [];
  for (const wayOf of Object.values(wayOfPage))
    stops.push(await crawl({ "cf-connecting-ip": newAddress() }, wayOf));
  expect(stops).toEqual(Array.from({ length: 3 }, () => ({ total: 280, stopped: "rate_limited" })));
});

it("a product that was read over one way is not new over the other", async () => {
  const { as, user } = await named();
  await ask(as, "get_product", { sku: "CRAWL-1" });
  await askUcp("get_product", { id: "CRAWL-1" }, as);
  await askUcp("search_catalog", { query: "CRAWL-1", pagination: { limit: 1 } }, as);
  await expect
    .poll(
      async () =>
        (await recordsOf(env.USER_WINDOWS.getByName(user))).filter(({ kind }) => kind === "outcome").length,
    )
    .toBe(3);
  const records = await recordsOf(env.USER_WINDOWS.getByName(user));
  const objects = records.flatMap((record) =>
    record.kind === "outcome" ? (record.flow?.objects ?? []) : [],
  );
  expect([objects.length, new Set(objects).size]).toEqual([3, 1]);
  const attempts = records.filter((record) => record.kind === "attempt");
  expect(attempts.map(({ name }) => name)).toEqual(["get_product", "ucp:get_product", "ucp:search_catalog"]);
  expect(attempts.map((each) => JSON.parse(each.arguments))[2]).toMatchObject({ query: "CRAWL-1", limit: 1 });
});
