/// <reference lib="dom" />
import { describe, expect, it } from "vitest";
import { DESKTOP, useDashboard } from "./support/dashboard.ts";
import { problemsOn } from "./support/page-problems.ts";

// A shop owner without a terminal sends files on the dashboard, in Chromium.

const PHONE = { width: 390, height: 844 };
const dashboard = useDashboard(2);

/** A file of the catalog's own columns. */
const csv = (prefix: string, price: string, count = 4) => ({
  name: "lamps.csv",
  mimeType: "text/csv",
  buffer: Buffer.from(
    `sku,name,category,price,currency,description\n${Array.from(
      { length: count },
      (_, index) => `${prefix}-${index},Lamp ${prefix} ${index},Home > Lamps,${price},EUR,A lamp\n`,
    ).join("")}${prefix}-bad,,Home,${price},EUR,\n`,
  ),
});

async function priceOf(sku: string): Promise<unknown> {
  const [[row] = []] = await dashboard().server.batch([
    { sql: "SELECT price_minor FROM products WHERE sku = ?1", values: [sku] },
  ]);
  return row?.["price_minor"];
}

describe.each([
  ["light", "desktop", DESKTOP],
  ["dark", "desktop", DESKTOP],
  ["light", "phone", PHONE],
  ["dark", "phone", PHONE],
] as const)("%s, on a %s", (colorScheme, width, viewport) => {
  const prefix = `${colorScheme}-${width}`;

  it("sends a file by keyboard, answers its question, sees three products and applies it", async () => {
    const { page, complaints } = await dashboard().signIn({ colorScheme, viewport });
    await page.goto(`${dashboard().server.url}/admin/catalog`);
    await page.getByRole("link", { name: "Feeds and files" }).click();
    await page.locator("#add-feed summary").focus();
    await page.keyboard.press("Enter");
    expect(await problemsOn(page)).toEqual([]);
    await page.setInputFiles("#upload-file", csv(prefix, "2000"));
    await page.getByRole("button", { name: "Send the file" }).focus();
    await page.keyboard.press("Enter");

    await page.getByText("One question").waitFor();
    expect(await problemsOn(page)).toEqual([]);
    const cents = page.getByRole("radio", { name: /Cents/ });
    await cents.focus();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Read it so" }).focus();
    await page.keyboard.press("Enter");

    await page.getByText("As a shopper will see them").waitFor();
    const examples = await page.locator("#examples li").allInnerTexts();
    expect(examples).toHaveLength(3);
    expect(examples[0]).toContain("€20.00");
    expect(await page.locator("#bad-rows").count()).toBe(1);
    expect(await problemsOn(page)).toEqual([]);
    expect(await priceOf(`${prefix}-0`)).toBeUndefined();

    await page.getByRole("button", { name: "Apply" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("cell").getByText("applied", { exact: true }).waitFor();
    expect(await priceOf(`${prefix}-0`)).toBe(2_000);
    expect(await problemsOn(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("discards a file, and the catalog stays as it is", async () => {
    const { page } = await dashboard().signIn({ colorScheme, viewport });
    await page.goto(`${dashboard().server.url}/admin/catalog/feeds`);
    await page.setInputFiles("#upload-file", csv(`${prefix}-no`, "19.99"));
    await page.getByRole("button", { name: "Send the file" }).click();
    await page.getByRole("button", { name: "Discard" }).click();
    await page.getByText("Discarded.").waitFor();
    expect(await priceOf(`${prefix}-no-0`)).toBeUndefined();
  });
});

it("adds, pauses and removes a feed, and says why it failed", async () => {
  const { page, complaints } = await dashboard().signIn();
  await page.goto(`${dashboard().server.url}/admin/catalog/feeds`);
  await page.locator("#add-feed summary").click();
  await page.getByLabel("Address").fill("https://localhost/feed.xml");
  await page.getByLabel("Kind").first().selectOption("google");
  await page
    .getByRole("checkbox", { name: /Discontinue/ })
    .first()
    .check();
  await page.getByRole("button", { name: "Add the feed" }).click();
  // The form is open with what was sent, and the field is marked.
  await page.getByRole("alert").waitFor();
  expect(await page.getByLabel("Address").inputValue()).toBe("https://localhost/feed.xml");
  expect(await page.getByLabel("Address").getAttribute("aria-invalid")).toBe("true");
  expect(await page.getByLabel("Kind").first().inputValue()).toBe("google");
  expect(
    await page
      .getByRole("checkbox", { name: /Discontinue/ })
      .first()
      .isChecked(),
  ).toBe(true);
  expect(await problemsOn(page)).toEqual([]);
  await page.getByLabel("Address").fill("https://shop.invalid.example/feed.xml?token=only-the-shop-knows");
  await page.getByRole("button", { name: "Add the feed" }).click();
  await page.getByText("Added. It is fetched now.").waitFor();
  expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("shop.invalid.example/feed.xml");
  expect(await page.content()).not.toContain("only-the-shop");
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByText("Paused.").waitFor();
  expect(await problemsOn(page)).toEqual([]);
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByText("Removed.").waitFor();
  // The refused address is the one answer that is no success.
  expect(complaints.filter((each) => !each.includes("409"))).toEqual([]);
});
