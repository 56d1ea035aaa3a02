import { describe, expect, it } from "vitest";
import { DEPLOYED, send } from "./identity/support/deployed.ts";

/** Returns the page that a browser gets, and checks the header that keeps other sites' scripts out. */
async function pageOf(settings: object, url = "/"): Promise<string> {
  const response = await send(url, { headers: { accept: "text/html,*/*;q=0.8" } }, settings);
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  return response.text();
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
    const lines = [...html.matchAll(/<pre[^]*?<code\s*>([^<]*)<\/code/g)].map(([, line]) => line);
    expect(lines).toHaveLength(7);
    for (const line of lines) expect(line).toContain(url);
    const [, cursor = ""] = /config=([^"]+)"/.exec(html) ?? [];
    expect(JSON.parse(atob(decodeURIComponent(cursor)))).toEqual({ url });
    const [, code = ""] = /vscode:mcp\/install\?([^"]+)"/.exec(html) ?? [];
    expect(JSON.parse(decodeURIComponent(code))).toEqual({ name: "product-catalog", type: "http", url });
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
