/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { attackCalls } from "../../cli/attack/families.ts";
import { play } from "../../cli/attack/play.ts";
import { readWorld } from "../../cli/attack/world.ts";
import { demoKeys } from "../../cli/local/demo-users.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { addUser, createKey } from "../../src/identity/administration.ts";
import { enterKey, launchBrowser } from "../node/support/browser.ts";
import { startScript, within } from "../node/support/processes.ts";

// The dashboard in Chromium, with demo traffic behind it. SCREENSHOTS=folder takes pictures too, of five minutes' traffic.

const SCREENSHOTS = process.env["SCREENSHOTS"];
const TRAFFIC_S = SCREENSHOTS === undefined ? 10 : 300;
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };

let folder: string;
let server: LocalServer;
let browser: Browser;
let keys: Record<string, string>;
let callers: { caller: string; ended: string }[];

beforeAll(
  async () => {
    folder = await mkdtemp(join(tmpdir(), "catalog-dashboard-"));
    const stateDir = join(folder, "state");
    [server, browser] = await Promise.all([startServer({ stateDir }), launchBrowser()]);
    keys = await demoKeys(server, stateDir);
    const traffic = startScript("demo-traffic", [
      "--state",
      stateDir,
      `--seconds=${TRAFFIC_S}`,
      `--calls=${TRAFFIC_S * 5}`,
      "--json",
    ]);
    const { code, stdout, stderr } = await within(TRAFFIC_S * 1000 + 60_000, traffic);
    if (code !== 0) throw new Error(stderr);
    callers = z
      .object({ callers: z.array(z.object({ caller: z.string(), ended: z.string() })) })
      .parse(JSON.parse(stdout)).callers;
  },
  TRAFFIC_S * 1000 + 120_000,
);
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});
afterAll(async () => {
  await browser.close();
  await server.close();
  await rm(folder, { recursive: true });
});

interface Visit {
  context: BrowserContext;
  page: Page;
  /** What the browser complained of, policy violations first of all. */
  complaints: string[];
}

async function signIn(
  options: Parameters<Browser["newContext"]>[0] = {},
  user = "user-admin",
): Promise<Visit> {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    // The test's own reading of what charts have drawn is no news.
    const isOurs = !message.text().startsWith("Canvas2D:");
    if (isOurs && ["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`${server.url}/sign-in?next=/admin`);
  await enterKey(page, keys[user] ?? "");
  return { context, page, complaints };
}

const toxic = (name: string): string =>
  callers.find(({ caller }) => caller.startsWith(name))?.caller ?? `no ${name}`;

/** Pixels of a chart that have about one of its legend's colours. */
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
  await server.batch([
    ...addUser({ id: user, kind: "user", name: user, roles: ["support"] }, now),
    key.statement,
  ]);
  return { user, key: key.secret };
}

describe("the overview", () => {
  it.each(["light", "dark"] as const)("draws charts that are not empty, %s", async (colorScheme) => {
    const { page, complaints } = await signIn({ colorScheme });
    await expect.poll(() => inkOf(page, "calls")).toEqual([expect.any(Number), expect.any(Number), 0]);
    const [answered = 0, refused = 0] = await inkOf(page, "calls");
    expect(answered).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(10);
    for (const ink of await inkOf(page, "latency")) expect(ink).toBeGreaterThan(5);
    expect((await inkOf(page, "refusals")).filter((ink) => ink > 0).length).toBeGreaterThanOrEqual(3);

    // The tables say the same.
    const sum = await page
      .locator("#chart-calls tbody td:nth-of-type(1)")
      .evaluateAll((cells) => cells.reduce((all, cell) => all + Number(cell.getAttribute("data-value")), 0));
    expect(sum).toBeGreaterThan(TRAFFIC_S);
    expect(await page.locator("#tools ~ .scroll tbody tr").count()).toBeGreaterThan(5);
    expect(complaints).toEqual([]);
  });

  it("shows an incident within three seconds of the attack, without a reload, where the focus was", async () => {
    const { page, complaints } = await signIn();
    const focused = page.getByRole("link", { name: /Look and decide.*canary/ }).first();
    await focused.focus();
    const href = await focused.getAttribute("href");
    await page.evaluate(() => Object.assign(window, { isSame: true }));
    const { user, key } = await newAttacker();
    const { calls } = attackCalls("profile-loop", 9, await readWorld(server));
    const { action } = await play(server.url, key, calls, () => {});
    const stopped = Date.now();
    expect(action).toBe("confirm");
    await page.locator(".incidents li").filter({ hasText: user }).waitFor({ timeout: 3_000 });
    console.info(`An incident was visible ${Date.now() - stopped} ms after the attack was stopped.`);
    expect(await page.evaluate(() => Object.hasOwn(window, "isSame"))).toBe(true);
    expect(await page.evaluate(() => document.activeElement?.getAttribute("href"))).toBe(href);
    expect(complaints).toEqual([]);
  });

  it("asks for nothing while it is hidden or paused", async () => {
    const { page } = await signIn();
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

  it("goes to the sign-in page when the session is over", async () => {
    const { page, context } = await signIn();
    const other = await context.newPage();
    await other.goto(`${server.url}/admin`);
    await other.getByRole("button", { name: "Sign out" }).click();
    await expect.poll(() => page.url(), { timeout: 5_000 }).toMatch(/\/sign-in\?next=/);
  });
});

describe("by keyboard alone", () => {
  it("skips to the content, opens a chart's numbers, which stay open", async () => {
    const { page } = await signIn();
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

  it("lets an incident through with a note that survives the page's updates", async () => {
    const { page, complaints } = await signIn();
    const caller = toxic("export-script");
    await page.goto(`${server.url}/admin/callers/${caller}`);
    await page.getByRole("link", { name: /Look and decide/ }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/admin\/incidents\//);
    await page.getByLabel("Note").focus();
    await page.keyboard.type("A migration, ");
    await page.waitForTimeout(4_500);
    await page.keyboard.type("agreed with Ada");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Let through for 1 hour");
    await page.keyboard.press("Enter");
    await page.getByText("Let through. The work can go on.").waitFor();
    expect(await page.locator(".timeline").innerText()).toContain("A migration, agreed with Ada");
    await page.goto(`${server.url}/admin/callers/${caller}`);
    expect(await page.getByText("let through", { exact: true }).isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  it("disables a caller and enables it again", async () => {
    const { page } = await signIn();
    const caller = toxic("price-scraper");
    await page.goto(`${server.url}/admin/callers/${caller}`);
    for (const [verb, done] of [
      ["Disable", "Disabled."],
      ["Enable", "Enabled."],
    ] as const) {
      await page.locator("summary", { hasText: verb }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: `${verb} this caller` }).focus();
      const next = page.waitForEvent("load");
      await page.keyboard.press("Enter");
      await next;
      expect(await page.locator(".done").innerText()).toContain(done);
    }
  });
});

const LOOKS = [
  ["light", "desktop", DESKTOP],
  ["dark", "desktop", DESKTOP],
  ["light", "phone", PHONE],
  ["dark", "phone", PHONE],
] as const;

describe.each(LOOKS)("%s, on a %s", (colorScheme, width, viewport) => {
  it("axe finds nothing on any page, none scrolls sideways, and the browser complains of none", async () => {
    const axe = await readFile("node_modules/axe-core/axe.min.js", "utf8");
    const { page, complaints } = await signIn({ colorScheme, viewport });
    const href = async (selector: string) =>
      (await page.locator(selector).first().getAttribute("href")) ?? "missing";
    const incident = await href(".go");
    const caller = await href(".incidents .what a");
    const principal = caller.split("/").at(-1);
    const found: Record<string, unknown> = {};
    const paths = [
      "/admin",
      "/admin?range=24h",
      "/admin?range=30d",
      "/admin/incidents",
      incident,
      "/admin/callers",
    ];
    paths.push(
      caller,
      "/admin/audit",
      `/admin/audit/${principal}`,
      "/admin/policy",
      "/admin/callers/nobody",
      "/",
    );
    for (const path of paths) {
      await page.goto(`${server.url}${path}`);
      for (const closed of await page.locator("summary").all()) await closed.click();
      await page.evaluate(axe);
      const problems = await page.evaluate(async () => {
        const root = document.documentElement;
        const wide = root.scrollWidth > root.clientWidth ? [`scrolls to ${root.scrollWidth}`] : [];
        const runner: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } =
          Reflect.get(window, "axe");
        const { violations } = await runner.run();
        return [
          ...wide,
          ...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`),
        ];
      });
      if (problems.length > 0) found[path] = problems;
    }
    expect(found).toEqual({});
    expect(complaints.filter((each) => !each.includes("404"))).toEqual([]);
  });

  it.runIf(SCREENSHOTS !== undefined)("pictures", async () => {
    const out = SCREENSHOTS ?? "";
    await mkdir(out, { recursive: true });
    const { page } = await signIn({
      colorScheme,
      viewport: width === "phone" ? { width: 390, height: 844 } : DESKTOP,
    });
    const caller = toxic("inbox-agent");
    const incident = await page
      .locator(".incidents li", { hasText: toxic("order-guesser") })
      .locator(".go")
      .getAttribute("href");
    const pages = {
      overview: "/admin",
      incident,
      caller: `/admin/callers/${caller}`,
      policy: "/admin/policy",
    };
    for (const [name, address] of Object.entries(pages)) {
      await page.goto(`${server.url}${address}`);
      await page.waitForTimeout(500);
      const path = join(out, `${name}-${width}-${colorScheme}.png`);
      expect((await page.screenshot({ path })).length).toBeGreaterThan(10_000);
    }
  });
});

it("is not for who is no admin", async () => {
  const { page } = await signIn({}, "user-support");
  expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("This is for administrators");
});
