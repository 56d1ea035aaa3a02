import { describe, expect, it } from "vitest";
import { DEPLOYED, send } from "./identity/support/deployed.ts";

describe("the server's address", () => {
  it("is text for a command line", async () => {
    const response = await send("/", {}, DEPLOYED);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain;/);
    expect(response.headers.get("vary")).toBe("Accept");
    expect(await response.text()).toContain("MCP endpoint: https://catalog.someone.workers.dev/mcp\n");
  });

  it("is a page for a browser, with every client", async () => {
    const response = await send("/", { headers: { accept: "text/html,*/*;q=0.8" } }, DEPLOYED);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    const html = await response.text();
    for (const client of ["Claude Code", "Claude Desktop", "ChatGPT", "Cursor", "VS Code", "curl"])
      expect(html).toContain(`<h3>${client}`);
    expect(html).toContain('href="/admin"');
    expect(html).toContain("https://catalog.someone.workers.dev/mcp");
    expect(html).not.toContain("own machine");
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
