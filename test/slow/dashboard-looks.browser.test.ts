/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { describe, expect, it } from "vitest";
import { DESKTOP, pathsFrom, useDashboard } from "./support/dashboard.ts";
import { problemsOn } from "./support/page-problems.ts";

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
    const { page, complaints } = await dashboard().signIn({ colorScheme, viewport });
    const found: Record<string, unknown> = {};
    for (const path of [...(await pathsFrom(page)), "/"]) {
      await page.goto(`${dashboard().server.url}${path}`);
      for (const closed of await page.locator("summary").all()) await closed.click();
      const problems = await problemsOn(page);
      if (problems.length > 0) found[path] = problems;
    }
    expect(found).toEqual({});
    expect(complaints.filter((each) => !each.includes("404"))).toEqual([]);
  });
});
