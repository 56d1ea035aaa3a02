/// <reference lib="dom" />
import { beforeAll, describe, expect, it } from "vitest";
import { fillCatalogLife } from "./support/catalog-life.ts";
import { DESKTOP, useDashboard } from "./support/dashboard.ts";
import { problemsOn } from "./support/page-problems.ts";

// The dashboard's page of the catalog, in Chromium.

const PHONE = { width: 390, height: 844 };
const dashboard = useDashboard(2);
beforeAll(() => fillCatalogLife(dashboard().server, Date.now()));

describe.each([
  ["light", "desktop", DESKTOP],
  ["dark", "desktop", DESKTOP],
  ["light", "phone", PHONE],
  ["dark", "phone", PHONE],
] as const)("%s, on a %s", (colorScheme, _, viewport) => {
  it("shows bad rows by keyboard, texts and searches; axe finds nothing on it and its lists", async () => {
    const { page, complaints } = await dashboard().signIn({ colorScheme, viewport });
    await page.goto(`${dashboard().server.url}/admin/catalog`);
    const row = page.locator("tr", { hasText: "3 bad rows" });
    await row.locator("summary").focus();
    await page.keyboard.press("Enter");
    // The page refreshes itself meanwhile, and what was opened stays open.
    await page.waitForResponse((response) => response.url().endsWith("/admin/catalog"));
    expect(await row.innerText()).toContain("Row 12: price: is not a number");
    expect(await page.locator("tr", { hasText: "380 of 394 prices" }).innerText()).toContain("not applied");
    expect(await page.locator("tr", { hasText: "GNOME-1" }).innerText()).toContain("kept out");
    const searches = page.getByRole("group", { name: "Searches that found nothing" }).locator("tbody th");
    expect(await searches.allInnerTexts()).toEqual(["espresso machine", "dog bed", "left handed scissors"]);
    expect(await problemsOn(page)).toEqual([]);

    await page.getByRole("link", { name: "Products without stock data" }).click();
    await page.waitForURL(/unstocked$/);
    expect(await page.locator("tbody tr").count()).toBeGreaterThan(0);
    expect(await problemsOn(page)).toEqual([]);
    for (const list of ["categories", "imports", "flagged"]) {
      await page.goto(`${dashboard().server.url}/admin/catalog/${list}`);
      expect(await page.locator("tbody tr").count()).toBeGreaterThan(0);
      expect(await problemsOn(page)).toEqual([]);
    }
    expect(complaints).toEqual([]);
  });
});
