import { beforeAll, describe, expect, it } from "vitest";
import { fill, product, sample } from "./support/catalog.ts";
import { DEPLOYED, ORIGIN, send } from "./identity/support/deployed.ts";
import { authorizeUrl, ready } from "./identity/support/oauth-client.ts";
import { tools } from "../../src/tools/registry.ts";
import { connectClient } from "./support/clients.ts";

// The requirements of Claude's and ChatGPT's directories that no other test holds. docs/connect.md has both lists.

beforeAll(() =>
  fill([
    ...sample,
    ...Array.from({ length: 60 }, (_, index) =>
      product({
        sku: `LONG-${index}`,
        name: `Directory lamp ${index} ${"with a long name ".repeat(8)}`,
        description: "A long description of the lamp. ".repeat(120),
        images: Array.from({ length: 8 }, (__, image) => `https://images.example/${index}-${image}.jpg`),
      }),
    ),
  ]),
);

describe("tools", () => {
  it("have a short name, and say of each hint whether it holds", () => {
    for (const { definition } of tools) {
      const { name, title, annotations } = definition;
      expect(name).toMatch(/^[a-z][a-z_]{2,63}$/);
      expect(annotations).toMatchObject({
        title,
        readOnlyHint: expect.any(Boolean),
        destructiveHint: expect.any(Boolean),
        openWorldHint: false,
      });
      expect([name, annotations.readOnlyHint && annotations.destructiveHint]).toEqual([name, false]);
    }
  });

  // Claude's limit on the web and the desktop. Claude Code's is 25,000 tokens.
  it("answer with fewer than 150,000 characters, and a search in fewer than 100,000", async () => {
    const client = await connectClient("2025");
    const found = await client.callTool({
      name: "search_products",
      arguments: { query: "directory lamp", limit: 50 },
    });
    const length = JSON.stringify(found).length;
    expect(length).toBeGreaterThan(20_000);
    expect(length).toBeLessThan(100_000);
    const one = await client.callTool({ name: "get_product", arguments: { sku: "LONG-1" } });
    expect(JSON.stringify(one).length).toBeLessThan(150_000);
    await client.close();
  });
});

describe("sign-in", () => {
  it.each([
    "https://claude.ai/api/mcp/auth_callback",
    "https://claude.com/api/mcp/auth_callback",
    "https://chatgpt.com/connector_platform_oauth_redirect",
    "https://chatgpt.com/connector/oauth/AbC-123",
    "https://platform.openai.com/apps-manage/oauth",
  ])("takes the callback %s", async (uri) => {
    const metadata = { client_name: "Assistant", token_endpoint_auth_method: "none", redirect_uris: [uri] };
    const response = await send("/oauth/register", {
      method: "POST",
      headers: { "content-type": "application/json", "cf-connecting-ip": crypto.randomUUID() },
      body: JSON.stringify(metadata),
    });
    expect(response.status).toBe(201);
  });

  it("takes a state of a thousand characters, as ChatGPT sends", async () => {
    const { browser, flow } = await ready();
    const url = new URL(authorizeUrl(flow), ORIGIN);
    url.searchParams.set("state", "x".repeat(1_000));
    expect((await browser.request(url.href)).status).toBe(200);
  });
});

describe("the proof that the operator owns the host", () => {
  it.each(["openai-apps-challenge", "mcp-registry-auth"])("%s is the text of its file", async (name) => {
    const path = `/.well-known/${name}`;
    expect((await send(path)).status).toBe(404);
    const files = new Map([[`/${name}.txt`, "proof-of-the-directory"]]);
    const fetch = async (url: string) => {
      const text = files.get(new URL(url).pathname);
      return new Response(text ?? "", { status: text === undefined ? 404 : 200 });
    };
    const response = await send(path, {}, { ...DEPLOYED, ASSETS: { fetch } });
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(await response.text()).toBe("proof-of-the-directory");
  });
});
