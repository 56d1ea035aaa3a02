/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { DESKTOP, type Dashboard, startDashboard } from "./support/dashboard.ts";

// Every page of the dashboard in both themes and at two widths. SCREENSHOTS=folder takes pictures too, of five minutes' traffic.

const SCREENSHOTS = process.env["SCREENSHOTS"];
const TRAFFIC_S = SCREENSHOTS === undefined ? 10 : 300;
const PHONE = { width: 360, height: 740 };

let dashboard: Dashboard;
beforeAll(
  async () => {
    dashboard = await startDashboard(TRAFFIC_S);
  },
  TRAFFIC_S * 1000 + 120_000,
);
afterEach(() => dashboard.closeBrowsers());
afterAll(() => dashboard.close());

const LOOKS = [
  ["light", "desktop", DESKTOP],
  ["dark", "desktop", DESKTOP],
  ["light", "phone", PHONE],
  ["dark", "phone", PHONE],
] as const;

describe.each(LOOKS)("%s, on a %s", (colorScheme, width, viewport) => {
  it("axe finds nothing on any page, none scrolls sideways, and the browser complains of none", async () => {
    const axe = await readFile("node_modules/axe-core/axe.min.js", "utf8");
    const { page, complaints } = await dashboard.signIn({ colorScheme, viewport });
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
      await page.goto(`${dashboard.server.url}${path}`);
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
    const { page } = await dashboard.signIn({
      colorScheme,
      viewport: width === "phone" ? { width: 390, height: 844 } : DESKTOP,
    });
    const caller = dashboard.toxic("inbox-agent");
    const incident = await page
      .locator(".incidents li", { hasText: dashboard.toxic("export-script") })
      .locator(".go")
      .getAttribute("href");
    const pages = {
      overview: "/admin",
      incident,
      caller: `/admin/callers/${caller}`,
      policy: "/admin/policy",
    };
    for (const [name, address] of Object.entries(pages)) {
      await page.goto(`${dashboard.server.url}${address}`);
      // As far down as the charts go.
      const height = name === "overview" ? 1_360 : DESKTOP.height;
      if (width === "desktop") await page.setViewportSize({ ...DESKTOP, height });
      await page.waitForTimeout(500);
      const path = join(out, `${name}-${width}-${colorScheme}.png`);
      expect((await page.screenshot({ path })).length).toBeGreaterThan(10_000);
    }
  });
});
