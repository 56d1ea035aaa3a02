/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { DESKTOP, pathsFrom, useDashboard } from "./support/dashboard.ts";

// Every page of the dashboard in both themes and at two widths.

const TRAFFIC_S = 10;
const PHONE = { width: 360, height: 740 };

const dashboard = useDashboard(TRAFFIC_S);

const LOOKS = [
  ["light", "desktop", DESKTOP],
  ["dark", "desktop", DESKTOP],
  ["light", "phone", PHONE],
  ["dark", "phone", PHONE],
] as const;

describe.each(LOOKS)("%s, on a %s", (colorScheme, _, viewport) => {
  it("every page passes axe, does not scroll sideways, and logs no browser error", async () => {
    const axe = await readFile("node_modules/axe-core/axe.min.js", "utf8");
    const { page, complaints } = await dashboard().signIn({ colorScheme, viewport });
    const found: Record<string, unknown> = {};
    for (const path of [...(await pathsFrom(page)), "/"]) {
      await page.goto(`${dashboard().server.url}${path}`);
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
});
