import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import json from "../../policy.json" with { type: "json" };
import page from "../../public/cards.html?raw";
import { parsePolicy } from "../../src/policy/schema.ts";
import { CARDS_URI } from "../../src/catalog/cards-uri.ts";
import { readCards } from "../../src/resources/cards.ts";
import { newCaller, recordsOf } from "./support/caller.ts";
import { fill, product } from "./support/catalog.ts";
import { connectClient, connectClientV1 } from "./support/clients.ts";

const withHosts = (image_hosts: string[]) => parsePolicy({ ...json, cards: { image_hosts } });
const IMAGES = "product-catalog-mcp/images";

beforeAll(() =>
  fill([product({ sku: "CARD-1", name: "Zither", images: ["https://images.example/zither.jpg"] })]),
);

describe("the page of the cards", () => {
  it.each(["2026-07-28", "2025", "the first SDK"] as const)("is read over %s, with a policy", async (era) => {
    const client = era === "the first SDK" ? await connectClientV1() : await connectClient(era);
    const { tools } = await client.listTools();
    const uris = tools.map(({ name, _meta }) => [name, _meta?.["ui"]]);
    expect(uris).toContainEqual(["search_products", { resourceUri: CARDS_URI }]);
    expect(uris).toContainEqual(["get_product", { resourceUri: CARDS_URI }]);
    expect(uris).toContainEqual(["query_stock", undefined]);
    const { contents } = await client.readResource({ uri: CARDS_URI });
    expect(contents).toEqual([
      {
        uri: CARDS_URI,
        mimeType: "text/html;profile=mcp-app",
        text: page,
        _meta: { ui: { csp: { resourceDomains: [] }, prefersBorder: false } },
      },
    ]);
    // Only clients that show it look for it, by the tools' metadata.
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).not.toContain(CARDS_URI);
    await client.close();
  });

  it("names only the hosts of pictures that the policy names", async () => {
    const parsed = withHosts(["cdn.example.com", "*.shop.example"]);
    if (!parsed.ok) throw new Error("The policy is invalid.");
    const { _meta } = await readCards(env.ASSETS, parsed.policy);
    expect(_meta.ui.csp).toEqual({ resourceDomains: ["https://cdn.example.com", "https://*.shop.example"] });
  });

  it.each([
    "*",
    "*.com/",
    "https://cdn.example.com",
    "a b.example",
    "x.example; script-src *",
    "'self'",
    "localhost",
  ])("can't be given %j as a host", (host) => expect(withHosts([host]).ok).toBe(false));

  it("counts and is recorded as discovery, and needs the scope that a list needs", async () => {
    const caller = newCaller();
    expect((await caller.ask("resources/read", { uri: CARDS_URI })).refusal).toBeUndefined();
    expect((await recordsOf(caller.object))[0]).toMatchObject({ target: "discovery", bucket: "discovery" });
    const other = newCaller({ scopes: [] });
    const { refusal } = await other.ask("resources/read", { uri: CARDS_URI });
    expect(refusal).toMatchObject({ code: "permission_denied" });
  });
});

it("a search gives its cards pictures, and its model none", async () => {
  const { result } = await newCaller().ask("tools/call", {
    name: "search_products",
    arguments: { query: "zither" },
  });
  expect(result?._meta?.[IMAGES]).toEqual({ "CARD-1": "https://images.example/zither.jpg" });
  const { _meta, ...shown } = result ?? {};
  expect(JSON.stringify(shown)).not.toContain("zither.jpg");
});
