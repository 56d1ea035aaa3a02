import { describe, expect, it } from "vitest";
import * as z from "zod";
import { DISCOVERY } from "../../src/http/discovery.ts";
import { tools } from "../../src/tools/registry.ts";
import { DEPLOYED, ORIGIN, send } from "./identity/support/deployed.ts";
import { connectClient, post, send as sendLocal } from "./support/clients.ts";

const DISCOVERY_PATHS = [...DISCOVERY.keys()];

const cardSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  icons: z.array(z.looseObject({ src: z.url() })),
  remotes: z.array(z.looseObject({ url: z.url(), supportedProtocolVersions: z.array(z.string()) })),
});
const catalogSchema = z.strictObject({
  specVersion: z.literal("1.0"),
  host: z.strictObject({ displayName: z.string() }),
  entries: z.tuple([
    z.strictObject({
      identifier: z.string().regex(/^urn:air:[\w.-]+:mcp:[\w-]+$/),
      displayName: z.string(),
      type: z.literal("application/mcp-server-card+json"),
      mediaType: z.literal("application/mcp-server-card+json"),
      url: z.url(),
    }),
  ]),
});
const FOREIGN = { origin: "https://directory.example" };

describe("the AI catalog", () => {
  it("leads to the server card, whose endpoint answers", async () => {
    const found = await send("/.well-known/ai-catalog.json", { headers: FOREIGN });
    expect(found.headers.get("content-type")).toBe("application/ai-catalog+json");
    const { entries } = catalogSchema.parse(await found.json());
    const card = await send(entries[0].url, { headers: { accept: entries[0].type } });
    expect(card.headers.get("content-type")).toBe(entries[0].type);
    const { remotes } = cardSchema.parse(await card.json());
    expect(remotes.map(({ url }) => url)).toEqual([`${ORIGIN}/mcp`]);
    expect((await send(remotes[0]?.url ?? "", { method: "POST" })).status).toBe(401);
  });

  it.each(DISCOVERY_PATHS)("%s is for every page to read, and to keep for an hour", async (path) => {
    const first = await send(path, { headers: FOREIGN });
    expect(first.status).toBe(200);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "ETag",
      "cache-control": "public, max-age=3600",
    });
    await first.text();
    const tag = first.headers.get("etag") ?? "";
    const again = await send(path, { headers: { ...FOREIGN, "if-none-match": `"other", W/${tag}` } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    const asked = { ...FOREIGN, "access-control-request-method": "GET" };
    const preflight = await send(path, { method: "OPTIONS", headers: asked });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toContain("If-None-Match");
    // The origin's own rules hold elsewhere, and no other method is one of this document.
    expect((await send("/mcp", { method: "POST", headers: FOREIGN })).status).toBe(403);
    expect((await send(path, { method: "POST" })).status).toBe(404);
    expect((await send(path, { headers: { host: "evil.example" } })).status).toBe(403);
  });

  it("names the address that clients use, and holds nothing else of the server", async () => {
    const settings = {
      ...DEPLOYED,
      PUBLIC_URL: "https://shop.example",
      PUBLIC_CATALOG: "on",
      METRICS_TOKEN: "a token that nobody may see",
      OIDC_ISSUER: "https://login.example",
      OIDC_CLIENT_ID: "client-id-here",
      OIDC_CLIENT_SECRET: "client-secret-here",
    };
    const answers = await Promise.all(
      DISCOVERY_PATHS.map(async (path) => (await send(path, {}, settings)).text()),
    );
    const text = answers.join();
    expect(text).toContain("https://shop.example/mcp/public");
    expect(text).not.toContain(ORIGIN);
    expect(text).not.toMatch(/nobody may see|login\.example|client-|someone|tool_|inventory|customer/);
    // Every address is this server's own, or one that publishes a specification.
    for (const [, host] of text.matchAll(/https?:\/\/([^/"]+)/g))
      expect(["shop.example", "static.modelcontextprotocol.io", "ucp.dev"]).toContain(host);
  });
});

describe("the server card", () => {
  it("agrees with what the server says to a client", async () => {
    const card = cardSchema.parse(await (await sendLocal("/mcp/server-card")).json());
    const client = await connectClient("2026-07-28");
    const { serverInfo, supportedVersions } = z
      .looseObject({ serverInfo: z.looseObject({}), supportedVersions: z.array(z.string()) })
      .parse({ serverInfo: client.getServerVersion(), supportedVersions: await versions() });
    expect(serverInfo).toMatchObject({ version: card.version, title: "Product catalog", icons: card.icons });
    expect(card.name.endsWith(`/${String(serverInfo["name"])}`)).toBe(true);
    expect(card.remotes[0]?.supportedProtocolVersions).toEqual(expect.arrayContaining(supportedVersions));
    await client.close();
  });

  it.each(["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])(
    "names %s, which is negotiated",
    async (revision) => {
      const { remotes } = cardSchema.parse(await (await sendLocal("/mcp/server-card")).json());
      expect(remotes[0]?.supportedProtocolVersions).toContain(revision);
      const clientInfo = { name: "test", version: "1" };
      const params = { protocolVersion: revision, capabilities: {}, clientInfo };
      const { messages } = await post({ jsonrpc: "2.0", id: 1, method: "initialize", params });
      expect(messages).toMatchObject([{ result: { protocolVersion: revision } }]);
    },
  );
});

/** Returns the revisions that server/discover names. */
async function versions(): Promise<unknown> {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  };
  const body = { jsonrpc: "2.0", id: 1, method: "server/discover", params: { _meta: meta } };
  const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "server/discover" };
  const { messages } = await post(body, headers);
  return z.tuple([z.object({ result: z.object({ supportedVersions: z.unknown() }) })]).parse(messages)[0]
    .result.supportedVersions;
}

describe("icons", () => {
  const iconsSchema = z.array(
    z.strictObject({
      src: z.url(),
      mimeType: z.enum(["image/svg+xml", "image/png"]),
      sizes: z.tuple([z.string().regex(/^(?:any|\d+x\d+)$/)]),
      theme: z.enum(["light", "dark"]).optional(),
    }),
  );

  it.each(["2026-07-28", "2025"] as const)(
    "of the server and each tool are files of this server: %s",
    async (era) => {
      const client = await connectClient(era);
      const own = iconsSchema.parse(client.getServerVersion()?.icons);
      expect(new Set(own.map(({ theme }) => theme))).toEqual(new Set(["light", "dark", undefined]));
      const listed = await client.listTools();
      expect(listed.tools.length).toBeGreaterThan(3);
      const ofTools = listed.tools.flatMap(({ icons }) => iconsSchema.length(1).parse(icons));
      for (const { src, mimeType } of new Map(
        [...own, ...ofTools].map((icon) => [icon.src, icon]),
      ).values()) {
        const { origin, pathname } = new URL(src);
        expect(origin).toBe("http://127.0.0.1");
        const file = await sendLocal(pathname);
        expect([src, file.status, file.headers.get("content-type")]).toEqual([src, 200, mimeType]);
        expect((await file.arrayBuffer()).byteLength).toBeLessThan(12_000);
      }
      await client.close();
    },
  );

  it("come with the introduction, and with no other answer", async () => {
    const client = await connectClient("2026-07-28");
    const { _meta } = await client.callTool({ name: "list_categories", arguments: {} });
    expect(JSON.stringify(_meta)).toContain("serverInfo");
    expect(JSON.stringify(_meta)).not.toContain("icons");
    await client.close();
  });

  it("exist for the scope of every tool", async () => {
    for (const { scope } of tools) {
      const file = await sendLocal(`/assets/tool-${scope.split(":")[0]}.svg`);
      expect([scope, file.status]).toEqual([scope, 200]);
      await file.arrayBuffer();
    }
  });
});
