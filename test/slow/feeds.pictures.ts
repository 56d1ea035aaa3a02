import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DESKTOP, useDashboard } from "./support/dashboard.ts";

// npx vitest run --project pictures: draws a sent file that waits for its admin.

const OUT = "docs/images";
const PHONE = { width: 390, height: 844 };
const dashboard = useDashboard(2);

it.each([
  ["light", "desktop", DESKTOP],
  ["dark", "phone", PHONE],
] as const)("%s, on a %s", async (colorScheme, width, viewport) => {
  await mkdir(OUT, { recursive: true });
  const { page } = await dashboard().signIn({ colorScheme, viewport });
  await page.goto(`${dashboard().server.url}/admin/catalog/feeds`);
  await page.setInputFiles("#upload-file", "test/node/import-files/google.rss.xml");
  await page.getByRole("button", { name: "Send the file" }).click();
  await page.getByText("As a shopper will see them").waitFor();
  const path = join(OUT, `file-${width}-${colorScheme}.png`);
  expect((await page.screenshot({ path })).length).toBeGreaterThan(10_000);
});
