import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { fillCatalogLife } from "./support/catalog-life.ts";
import { DESKTOP, useDashboard } from "./support/dashboard.ts";

// npx vitest run --project pictures: draws the dashboard after five minutes' traffic, in both themes and at two widths.

const OUT = "docs/images";
const TRAFFIC_S = 300;
const PHONE = { width: 390, height: 844 };

const dashboard = useDashboard(TRAFFIC_S);
beforeAll(() => fillCatalogLife(dashboard().server, Date.now()));

it.each([
  ["light", "desktop", DESKTOP],
  ["dark", "desktop", DESKTOP],
  ["light", "phone", PHONE],
  ["dark", "phone", PHONE],
] as const)("%s, on a %s", async (colorScheme, width, viewport) => {
  await mkdir(OUT, { recursive: true });
  const { page } = await dashboard().signIn({
    colorScheme,
    viewport,
  });
  const caller = dashboard().toxic("inbox-agent");
  const incident = await page
    .locator(".incidents li", { hasText: dashboard().toxic("export-script") })
    .locator(".go")
    .getAttribute("href");
  const pages = {
    overview: "/admin",
    incident,
    caller: `/admin/callers/${caller}`,
    policy: "/admin/policy",
    catalog: "/admin/catalog",
    users: "/admin/users",
    user: "/admin/users/user-support",
  };
  for (const [name, address] of Object.entries(pages)) {
    await page.goto(`${dashboard().server.url}${address}`);
    // The pictures end below the charts, and below the catalog.
    const height = name === "overview" ? 1_360 : name === "catalog" ? 1_520 : DESKTOP.height;
    if (width === "desktop") await page.setViewportSize({ ...DESKTOP, height });
    await page.waitForTimeout(500);
    const path = join(OUT, `${name}-${width}-${colorScheme}.png`);
    expect((await page.screenshot({ path })).length).toBeGreaterThan(10_000);
  }
});
