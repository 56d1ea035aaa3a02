/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { DESKTOP, pathsFrom, useDashboard } from "./support/dashboard.ts";

// The dashboard's tables, also on a phone, where each row is a card.

const PHONE = { width: 390, height: 844 };

const dashboard = useDashboard(10);

/**
 * Finds cells that the window cuts off or that don't name their column, and boxes that scroll sideways. On a desktop the numbers
 * below a chart may do so: they have a column for each line of the chart.
 */
const problemsOf = (page: Page) =>
  page.evaluate(() => {
    const isWide = ({ scrollWidth, clientWidth }: Element) => scrollWidth > clientWidth;
    const isChart = (element: Element) => innerWidth > 1024 && element.closest("figure") !== null;
    const boxes = [...document.querySelectorAll(".scroll")];
    const wide = [document.documentElement, ...boxes].filter((box) => isWide(box) && !isChart(box));
    const cells = [...document.querySelectorAll("tbody :is(th, td)")]
      .filter((cell) => !isChart(cell))
      .filter((cell) => {
        const { left, right } = cell.getBoundingClientRect();
        const { clientWidth } = document.documentElement;
        const name = cell.getAttribute("data-column");
        const isCard = getComputedStyle(cell.parentElement ?? cell).display === "flex";
        const said = getComputedStyle(cell, "::before").content;
        const isNamed = !isCard || name === null || said.startsWith(`"${name}"`);
        return left < 0 || right > clientWidth || isWide(cell) || !(isNamed || cell.innerHTML === "");
      });
    return [...wide, ...cells].map(({ outerHTML }) => outerHTML.slice(0, 200));
  });

const axSchema = z.object({
  nodes: z.array(
    z.object({
      role: z.object({ value: z.string() }).optional(),
      name: z.object({ value: z.string() }).optional(),
    }),
  ),
});
const TABLE_ROLES = new Set(["table", "rowgroup", "row", "columnheader", "rowheader", "cell"]);

/** Returns what Chromium tells screen readers about a page's tables: roles and texts, in order. */
async function tablesOf(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = axSchema.parse(await session.send("Accessibility.getFullAXTree"));
  await session.detach();
  return nodes
    .filter(({ role }) => TABLE_ROLES.has(role?.value ?? ""))
    .map(({ role, name }) => `${role?.value} ${name?.value}`);
}

describe.each([
  ["390 px", PHONE],
  ["1280 px", DESKTOP],
])("at %s", (_, viewport) => {
  it("no table is wider than the window, and every cell of a card shows its column", async () => {
    const { page } = await dashboard().signIn({ viewport });
    const found: Record<string, unknown> = {};
    let tables = 0;
    const withheld = `/admin/callers/${dashboard().toxic("export-script")}`;
    for (const path of [...(await pathsFrom(page)), withheld]) {
      await page.goto(`${dashboard().server.url}${path}`);
      for (const closed of await page.locator("summary").all()) await closed.click();
      tables += await page.locator("table").count();
      const problems = await problemsOf(page);
      if (problems.length > 0) found[path] = problems;
    }
    expect(found).toEqual({});
    expect(tables).toBeGreaterThan(15);
  });
});

describe("at 390 px", () => {
  it.each([
    ["/admin/audit", "Records"],
    ["/admin/policy", "Purpose"],
  ])("screen readers get the same tables on %s as on a desktop", async (path, column) => {
    const { page } = await dashboard().signIn({ viewport: DESKTOP });
    await page.goto(`${dashboard().server.url}${path}`);
    const wide = await tablesOf(page);
    expect(wide).toContain(`columnheader ${column}`);
    await page.setViewportSize(PHONE);
    expect(
      await page
        .locator("tbody tr")
        .first()
        .evaluate((row) => getComputedStyle(row).display),
    ).toBe("flex");
    expect(await tablesOf(page)).toEqual(wide);
  });

  it("the Tab key moves from a chain to its check and download, visibly", async () => {
    const { page } = await dashboard().signIn({ viewport: PHONE });
    await page.goto(`${dashboard().server.url}/admin/audit`);
    await page.locator("tbody th a").first().focus();
    for (const name of [/^Verify/, /^JSONL/]) {
      await page.keyboard.press("Tab");
      const focused = page.locator(":focus");
      expect(await focused.innerText()).toMatch(name);
      const box = await focused.boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? Infinity)).toBeLessThanOrEqual(PHONE.width);
    }
  });
});
