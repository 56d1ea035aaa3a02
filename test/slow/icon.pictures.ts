import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { launchBrowser } from "../node/support/find-browser.ts";

// npx vitest run --project pictures: draws the icon for clients that show no SVG, and for the bundle of Claude Desktop.

const SIZE = 512;

it("the icon as a PNG", async ({ skip }) => {
  const launched = await launchBrowser();
  if ("missing" in launched) {
    skip(launched.missing);
    return;
  }
  const page = await launched.browser.newPage({ viewport: { width: SIZE, height: SIZE } });
  const icon = await readFile("public/assets/icon.svg", "utf8");
  await page.setContent(`<style>body{margin:0}svg{display:block}</style>${icon}`);
  const path = `public/assets/icon-${SIZE}.png`;
  expect((await page.screenshot({ path, omitBackground: true })).length).toBeGreaterThan(1_000);
  await launched.browser.close();
});
