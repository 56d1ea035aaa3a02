/// <reference lib="dom" />
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { DESKTOP, useDashboard } from "./support/dashboard.ts";
import { callTool } from "./support/mcp-call.ts";
import { problemsOn } from "./support/page-problems.ts";

// The dashboard's page of users and keys, in Chromium.

const PHONE = { width: 390, height: 844 };
const dashboard = useDashboard(2);
const at = (path: string) => `${dashboard().server.url}${path}`;

describe.each([
  ["light", "desktop", DESKTOP],
  ["dark", "desktop", DESKTOP],
  ["light", "phone", PHONE],
  ["dark", "phone", PHONE],
] as const)("%s, on a %s", (colorScheme, _, viewport) => {
  it("adds a user by keyboard, keeps what was typed if it is refused, and makes a key; axe finds nothing", async () => {
    const { page, complaints, context } = await dashboard().signIn({ colorScheme, viewport });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const id = `kim-${randomBytes(3).toString("hex")}`;
    await page.goto(at("/admin/users"));
    await page.locator("#add summary").focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.type("two words");
    await page.keyboard.press("Tab");
    await page.keyboard.type("Kim <b>Lee</b>");
    await page.getByLabel("shopper", { exact: true }).focus();
    await page.keyboard.press("Space");
    await page.keyboard.press("Enter");
    const problem = page.locator("#add-id-problem");
    await problem.waitFor();
    expect(await page.locator("#add-id").getAttribute("aria-describedby")).toContain("add-id-problem");
    expect(await page.locator("#add-name").inputValue()).toBe("Kim <b>Lee</b>");
    expect(await page.getByLabel("shopper", { exact: true }).isChecked()).toBe(true);
    expect(await problemsOn(page)).toEqual([]);

    await page.locator("#add-id").fill(id);
    await page.keyboard.press("Enter");
    await page.waitForURL(/done=added/);
    expect(await page.locator("h1").innerText()).toBe(id);

    await page.locator("#make-key summary").click();
    await page.locator("#key-label").fill("laptop");
    await page.keyboard.press("Enter");
    const secret = await page.locator("#secret").innerText();
    expect(page.url()).not.toContain(secret);
    expect(await problemsOn(page)).toEqual([]);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    expect(await callTool(dashboard().server.url, secret, "list_categories", {})).not.toHaveProperty(
      "isError",
    );

    // It leaves the page with its reader, so that a page that the browser kept does not show it again.
    const left = await page.evaluate(() => {
      dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
      return document.documentElement.outerHTML;
    });
    expect(left).not.toContain(secret);
    await page.goto(at(`/admin/users/${id}`));
    expect(await page.content()).not.toContain(secret);
    expect(await page.locator("tr", { hasText: "laptop" }).count()).toBe(1);

    await page.locator("tr", { hasText: "laptop" }).locator("summary").click();
    expect(await problemsOn(page)).toEqual([]);
    await page.getByRole("button", { name: "Revoke this key" }).click();
    await page.waitForURL(/done=revoked/);
    await expect(callTool(dashboard().server.url, secret, "list_categories", {})).rejects.toThrow("result");
    // The browser itself reports the refused form.
    expect(complaints.filter((each) => !/409/.test(each))).toEqual([]);
  });
});
