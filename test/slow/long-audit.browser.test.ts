import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { enterKey } from "../node/support/browser.ts";
import { launchBrowser } from "../node/support/find-browser.ts";
import { type Scaled, startScaled } from "../../lab/scale/scaled.ts";

// A long chain is checked in parts: the page goes on by itself, or by a link where no script runs.

const RECORDS = 5_000;

let folder: string;
let scaled: Scaled | undefined;
let browser: Browser | undefined;
let missing: string | undefined;
beforeAll(async () => {
  const launched = await launchBrowser();
  if ("missing" in launched) {
    ({ missing } = launched);
    return;
  }
  ({ browser } = launched);
  folder = await mkdtemp(join(tmpdir(), "catalog-long-audit-"));
  scaled = await startScaled(folder, { callers: RECORDS, records: RECORDS });
});
beforeEach(({ skip }) => {
  if (missing !== undefined) skip(missing);
});
afterAll(async () => {
  await browser?.close();
  await scaled?.server.close();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

it.each([true, false])("a chain is checked to its end, with scripts: %s", async (javaScriptEnabled) => {
  if (scaled === undefined || browser === undefined) throw new Error("Nothing has started.");
  const context = await browser.newContext({ javaScriptEnabled });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(`${scaled.url}/sign-in?next=/admin/audit/many-2`);
  await enterKey(page, scaled.key);
  if (!javaScriptEnabled) {
    await page.getByText("2,000 of 5,000 records checked").waitFor();
    await page.getByRole("link", { name: "Check the next records" }).click();
    await page.getByText("4,000 of 5,000 records checked").waitFor();
    await page.getByRole("link", { name: "Check the next records" }).click();
  }
  await page.getByText("5,000 records, unchanged").waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});
