/// <reference lib="dom" />
import { describe, expect, it } from "vitest";
import { browserRig } from "../node/support/browser-rig.ts";
import { problemsOn } from "./support/page-problems.ts";

const ORIGIN = "https://catalog.example.com";
const rig = browserRig(async () => ({ PUBLIC_URL: ORIGIN, PUBLIC_CATALOG: "on" }));

describe("the install page in Chromium", () => {
  it.each([
    ["light", 1280],
    ["dark", 1280],
    ["light", 390],
    ["dark", 390],
  ] as const)("is in order: %s, %i wide", async (colorScheme, width) => {
    const look = { colorScheme, viewport: { width, height: 900 }, bypassCSP: true };
    const { page, complaints } = await rig().visit("/", look);
    expect(await problemsOn(page)).toEqual([]);
    const heights = await page
      .locator("a.button, button")
      .evaluateAll((targets) => targets.map((target) => target.getBoundingClientRect().height));
    expect(heights.length).toBe(4 + 7);
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(40);
    expect(complaints).toEqual([]);
  });

  it("copies a line by keyboard, under the page's own policy", async () => {
    const { page, complaints } = await rig().visit("/", {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const copy = page.getByRole("button", { name: "Copy: Codex" });
    await copy.press("Enter");
    await page.getByRole("button", { name: "Copied: Codex" }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toBe(`codex mcp add product-catalog --url ${ORIGIN}/mcp`);
    await copy.waitFor();
    expect(complaints).toEqual([]);
  });

  it("shows every line without scripts", async () => {
    const { page } = await rig().visit("/", { javaScriptEnabled: false });
    expect(await page.locator(".line").count()).toBe(7);
    expect(await page.locator("button").count()).toBe(0);
  });
});
