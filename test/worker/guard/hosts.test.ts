import { beforeAll, describe, expect, it } from "vitest";
import { DEPLOYED, ORIGIN, answers, bearer, post, search } from "../identity/support/deployed.ts";
import { keyOf } from "../identity/support/people.ts";
import { fill, sample } from "../support/catalog.ts";
import { modern } from "../support/modern.ts";

// src/app.ts decides which Host and Origin are served. The MCP handler behind it has its own checks that
// ignore the settings, and they must not refuse anything more.

let key = "";
beforeAll(async () => {
  await fill(sample);
  key = await keyOf(["shopper"]);
});

const PAGE = "https://shop.example.com";
const settings = {
  ...DEPLOYED,
  PUBLIC_CATALOG: "on",
  ALLOWED_HOSTS: "catalog.example.com",
  ALLOWED_ORIGINS: "shop.example.com",
};
const call = modern("tools/call", { name: "search_products", arguments: { query: "keyboard" } });
const lanes = [
  { lane: "2026-07-28", ...call },
  { lane: "2025", body: search(), headers: {} },
];
const doors = ["/mcp", "/mcp/public"].flatMap((path) => lanes.map((lane) => ({ path, ...lane })));

describe.each(doors)("$path on $lane", ({ path, body, headers }) => {
  const ask = (more: Record<string, string>, origin = ORIGIN) => {
    const identity = path === "/mcp" ? bearer(key) : {};
    return post(body, { ...headers, ...identity, ...more }, { url: `${origin}${path}`, settings });
  };

  it.each([
    ["its workers.dev name", ORIGIN, "catalog.someone.workers.dev"],
    ["an allowed host", "https://catalog.example.com", "catalog.example.com"],
    ["an allowed host with a port", "https://catalog.example.com:8443", "catalog.example.com:8443"],
    ["a proxy on its machine that keeps the public host", "http://127.0.0.1:8787", "catalog.example.com"],
    ["a workers.dev URL whose proxy sends an allowed host", ORIGIN, "catalog.example.com"],
  ])("answers under %s", async (_, origin, host) => {
    const response = await ask({ host }, origin);
    expect(response.status).toBe(200);
    expect(await answers(response)).toMatchObject([
      { result: { structuredContent: { products: [{ sku: "SKU-10001" }] } } },
    ]);
  });

  it("lets an allowed page read the answer, and no other page", async () => {
    const response = await ask({ origin: PAGE });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe(PAGE);
  });

  it.each([
    ["Host", { host: "evil.example" }],
    ["Origin", { origin: "https://evil.example" }],
  ])("refuses a forged %s in the words of the table", async (_, forged) => {
    const response = await ask(forged);
    expect(response.status).toBe(403);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(await response.json()).toMatchObject({ error: { data: { code: "origin_denied" } } });
  });
});
