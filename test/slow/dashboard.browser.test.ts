/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { randomBytes } from "node:crypto";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { attackCalls } from "../../lab/attack/live-attack.ts";
import { play } from "../../lab/attack/play.ts";
import { readWorld } from "../../lab/attack/world.ts";
import { addUser, createKey } from "../../src/identity/administration.ts";
import { useDashboard } from "./support/dashboard.ts";

// The dashboard in Chromium with demo traffic.

const TRAFFIC_S = 10;

const dashboard = useDashboard(TRAFFIC_S);

/** Counts the pixels of each chart that have about one of its legend's colours. */
const inkOf = (page: Page, chart: string): Promise<number[]> =>
  page.evaluate((id) => {
    const rgb = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
    const figure = document.querySelector(`#chart-${id}`);
    const canvas = figure?.querySelector("canvas");
    const pixels = canvas?.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    return [...(figure?.querySelectorAll(".legend li") ?? [])].map((item) => {
      const [red = 0, green = 0, blue = 0] = rgb(getComputedStyle(item, "::before").backgroundColor);
      let count = 0;
      for (let index = 0; index < pixels.length; index += 4) {
        const isNear =
          Math.abs((pixels[index] ?? 0) - red) < 8 &&
          Math.abs((pixels[index + 1] ?? 0) - green) < 8 &&
          Math.abs((pixels[index + 2] ?? 0) - blue) < 8 &&
          (pixels[index + 3] ?? 0) > 200;
        if (isNear) count++;
      }
      return count;
    });
  }, chart);

async function newAttacker() {
  const user = `attacker-${randomBytes(3).toString("hex")}`;
  const now = Date.now();
  const key = createKey({ user, label: "test" }, now);
  await dashboard().server.batch([
    ...addUser({ id: user, kind: "user", name: user, roles: ["support"] }, now),
    key.statement,
  ]);
  return { user, key: key.secret };
}

describe("the overview", () => {
  it.each(["light", "dark"] as const)("draws charts that are not empty, %s", async (colorScheme) => {
    const { page, complaints } = await dashboard().signIn({ colorScheme });
    await expect.poll(() => inkOf(page, "calls")).toEqual([expect.any(Number), expect.any(Number), 0]);
    const [answered = 0, refused = 0] = await inkOf(page, "calls");
    expect(answered).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(10);
    for (const ink of await inkOf(page, "latency")) expect(ink).toBeGreaterThan(5);
    expect((await inkOf(page, "refusals")).filter((ink) => ink > 0).length).toBeGreaterThanOrEqual(3);

    // The tables agree with the charts.
    const sum = await page
      .locator("#chart-calls tbody td:nth-of-type(1)")
      .evaluateAll((cells) => cells.reduce((all, cell) => all + Number(cell.getAttribute("data-value")), 0));
    expect(sum).toBeGreaterThan(TRAFFIC_S);
    expect(await page.locator("#tools ~ .scroll tbody tr").count()).toBeGreaterThan(5);
    expect(complaints).toEqual([]);
  });

  it("shows an incident within three seconds without a reload, and keeps the focus", async () => {
    const { page, complaints } = await dashboard().signIn();
    const focused = page.getByRole("link", { name: /Review.*canary/ }).first();
    await focused.focus();
    const href = await focused.getAttribute("href");
    await page.evaluate(() => Object.assign(window, { isSame: true }));
    const { user, key } = await newAttacker();
    const { calls } = attackCalls("profile-loop", 9, await readWorld(dashboard().server));
    const { action } = await play(dashboard().server.url, key, calls);
    const stopped = Date.now();
    expect(action).toBe("confirm");
    await page.locator(".incidents li").filter({ hasText: user }).waitFor({ timeout: 3_000 });
    console.info(`An incident was visible ${Date.now() - stopped} ms after the attack was stopped.`);
    expect(await page.evaluate(() => Object.hasOwn(window, "isSame"))).toBe(true);
    expect(await page.evaluate(() => document.activeElement?.getAttribute("href"))).toBe(href);
    expect(complaints).toEqual([]);
  });

  it("sends no requests while it is hidden or paused", async () => {
    const { page } = await dashboard().signIn();
    let asked = 0;
    page.on("request", (request) => {
      if (request.headers()["hx-request"] !== undefined) asked += 1;
    });
    const askedIn = async (milliseconds: number) => {
      const before = asked;
      await page.waitForTimeout(milliseconds);
      return asked - before;
    };
    const hide = (hidden: boolean) =>
      page.evaluate((isHidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, value: isHidden });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    expect(await askedIn(4_500)).toBeGreaterThanOrEqual(2);
    await hide(true);
    expect(await askedIn(4_500)).toBe(0);
    const before = asked;
    await hide(false);
    await expect.poll(() => asked - before, { timeout: 500 }).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Pause updates" }).click();
    expect(await askedIn(4_500)).toBe(0);
    await page.reload();
    expect(await askedIn(4_500)).toBe(0);
    await page.getByRole("button", { name: "Resume updates" }).click();
    expect(await askedIn(4_500)).toBeGreaterThanOrEqual(2);
  });

  it("goes to the sign-in page when the session ends", async () => {
    const { page, context } = await dashboard().signIn();
    const other = await context.newPage();
    await other.goto(`${dashboard().server.url}/admin`);
    await other.getByRole("button", { name: "Sign out" }).click();
    await expect.poll(() => page.url(), { timeout: 5_000 }).toMatch(/\/sign-in\?next=/);
  });
});

describe("by keyboard alone", () => {
  it("skips to the content and keeps a chart's numbers open", async () => {
    const { page } = await dashboard().signIn();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    const numbers = page.locator("#chart-calls summary");
    await numbers.focus();
    await page.keyboard.press("Enter");
    await page.waitForTimeout(4_500);
    expect(await page.locator("#chart-calls details").evaluate((each) => each.hasAttribute("open"))).toBe(
      true,
    );
    expect(await numbers.evaluate((each) => each === document.activeElement)).toBe(true);
  });

  it("allows an incident with a note that survives refreshes", async () => {
    const { page, complaints } = await dashboard().signIn();
    const caller = dashboard().toxic("export-script");
    await page.goto(`${dashboard().server.url}/admin/callers/${caller}`);
    await page.getByRole("link", { name: /Review/ }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/admin\/incidents\//);
    await page.getByLabel("Note").focus();
    await page.keyboard.type("A migration, ");
    await page.waitForTimeout(4_500);
    await page.keyboard.type("agreed with Ada");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Allow for 1 hour");
    await page.keyboard.press("Enter");
    await page.getByText("Allowed. The work can go on.").waitFor();
    expect(await page.locator(".timeline").innerText()).toContain("A migration, agreed with Ada");
    await page.goto(`${dashboard().server.url}/admin/callers/${caller}`);
    expect(await page.getByText("allowed", { exact: true }).isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  it("disables a caller and enables it again", async () => {
    const { page } = await dashboard().signIn();
    const caller = dashboard().toxic("price-scraper");
    await page.goto(`${dashboard().server.url}/admin/callers/${caller}`);
    for (const [verb, done] of [
      ["Disable", "Disabled."],
      ["Enable", "Enabled."],
    ] as const) {
      await page.locator("summary", { hasText: verb }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: `${verb} this user` }).focus();
      const next = page.waitForEvent("load");
      await page.keyboard.press("Enter");
      await next;
      expect(await page.locator(".done").innerText()).toContain(done);
    }
  });
});

it("refuses a user who is not an admin", async () => {
  const { page } = await dashboard().signIn({}, "user-support");
  expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("This is for administrators");
});
