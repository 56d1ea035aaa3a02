import { describe, expect, it } from "vitest";
import * as z from "zod";
import { DEPLOYED, send } from "./identity/support/deployed.ts";

/** Returns the page that a browser gets, and checks the header that keeps other sites' scripts out. */
async function pageOf(settings: object, url = "/"): Promise<string> {
  const response = await send(url, { headers: { accept: "text/html,*/*;q=0.8" } }, settings);
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  return response.text();
}

/** An entry of Cursor's mcp.json for a server with a URL (cursor.com/docs/mcp/install-links). */
const cursorSchema = z.strictObject({
  url: z.url(),
  headers: z.record(z.string(), z.string()).optional(),
});
/** The object that VS Code takes after --add-mcp and in its links (code.visualstudio.com/docs, MCP developer guide). */
const vsCodeSchema = z.strictObject({
  name: z.string(),
  type: z.literal("http"),
  url: z.url(),
  headers: z.record(z.string(), z.string()).optional(),
});

/** Returns the address of a link that begins so, as a browser reads it. */
function linkOf(html: string, begins: string): URL {
  const found = [...html.matchAll(/href="([^"]+)"/g)].map(([, href = ""]) => href.replaceAll("&amp;", "&"));
  return new URL(found.find((href) => href.startsWith(begins)) ?? "missing:");
}

describe("the server's address", () => {
  it("is text for a command line", async () => {
    const response = await send("/", {}, DEPLOYED);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain;/);
    expect(response.headers.get("vary")).toBe("Accept");
    expect(await response.text()).toContain("MCP endpoint: https://catalog.someone.workers.dev/mcp\n");
  });

  it("is a page for a browser, with a way to add every client", async () => {
    const html = await pageOf(DEPLOYED);
    for (const client of ["Claude", "ChatGPT", "Cursor", "VS Code", "Claude Code", "Codex", "Gemini CLI"])
      expect(html).toContain(`<h3>${client}</h3>`);
    expect(html).toContain('href="/admin"');
    expect(html).not.toMatch(/own machine|data-if|\{\{/);
  });

  it("leaves out what a server on a developer's machine can't do", async () => {
    const html = await pageOf({ ...DEPLOYED, LOCAL_ANONYMOUS: "on" }, "http://127.0.0.1:8787/");
    expect(html).toContain("own machine");
    expect(html).not.toMatch(/<h3>ChatGPT|Authenticate|data-if|\{\{/);
  });

  it("names the address that clients use in every line and link", async () => {
    const url = "https://shop.example:8443/mcp";
    const html = await pageOf({ ...DEPLOYED, PUBLIC_URL: "https://shop.example:8443" });
    const lines = [...html.matchAll(/class="line"\s*><code\s*>([^<]*)<\/code/g)].map(([, line]) => line);
    expect(lines).toHaveLength(7);
    for (const line of lines) expect(line).toContain(url);

    const claude = linkOf(html, "https://claude.ai/customize/connectors");
    expect(Object.fromEntries(claude.searchParams)).toEqual({
      modal: "add-custom-connector",
      connectorName: "Product catalog",
      connectorUrl: url,
    });
    const cursor = linkOf(html, "cursor://anysphere.cursor-deeplink/mcp/install");
    expect([...cursor.searchParams.keys()]).toEqual(["name", "config"]);
    expect(cursor.searchParams.get("name")).toBe("product-catalog");
    const config: unknown = JSON.parse(atob(cursor.searchParams.get("config") ?? ""));
    expect(cursorSchema.parse(config)).toEqual({ url });
    const code = linkOf(html, "vscode:mcp/install");
    const entry = vsCodeSchema.parse(JSON.parse(decodeURIComponent(code.search.slice(1))));
    expect(entry).toEqual({ name: "product-catalog", type: "http", url });
    expect(lines).toContain(`code --add-mcp '${JSON.stringify(entry)}'`);
  });

  it.each([
    ["/assets/site.css", "public, no-cache"],
    ["/assets/uplot-1.6.32.min.js", "public, max-age=31536000, immutable"],
  ])("serves %s, kept as %s", async (path, kept) => {
    const response = await send(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe(kept);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    await response.text();
  });

  it("serves only existing files", async () => {
    expect((await send("/assets/../wrangler.toml")).status).toBe(404);
    expect((await send("/assets/nothing.js")).status).toBe(404);
  });
});
