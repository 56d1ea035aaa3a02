/// <reference lib="dom" />
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { product, seed } from "../node/support/imports.ts";
import { useAppsHost } from "./support/apps-host.ts";
import { problemsIn } from "./support/page-problems.ts";

// The page of product and stock cards in Chromium, with the official host bridge as the client and the server behind it.

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const LOOKS = [
  ["light", "desktop", DESKTOP],
  ["dark", "desktop", DESKTOP],
  ["light", "phone", PHONE],
  ["dark", "phone", PHONE],
] as const;

/** Text that would run or draw something if any of it became markup. */
const HOSTILE = `<img src=x onerror="alert(1)"><script>alert(2)</script></script></style>"'>{{7*7}}&lt;b&gt;`;

const shirt = (index: number, size: string, color: string) =>
  product({
    sku: `SHIRT-${index}`,
    name: "Linen shirt",
    brand: "Fernhill",
    category: "Clothing",
    description: "Loose linen shirt. ".repeat(30),
    group: { id: "shirt", name: "Linen shirt" },
    options: { Size: size, Color: color },
    price_minor: 4900 + index * 100,
    url: `https://shop.example/shirt-${index}`,
    images: [`https://images.example/shirt-${index}.jpg`, "https://images.example/back.jpg"],
    stock: [{ warehouse: "east", quantity: index === 2 ? 0 : 5 }],
  });

const apps = useAppsHost((server) =>
  seed(server, [
    ...Array.from({ length: 8 }, (_, index) =>
      product({
        sku: `KEY-${index}`,
        name: `Wireless keyboard ${index}`,
        url: `https://shop.example/keyboard-${index}`,
        images: [`https://images.example/key-${index}.jpg`],
        rating: { value: 4.5, count: 10 + index },
        attributes: { layout: index % 2 === 0 ? "US" : "DE", connection: "Bluetooth" },
        ...(index === 0 && { sale: { price_minor: 5999 } }),
        ...(index === 7 && { stock: [{ warehouse: "north", quantity: 1 }] }),
      }),
    ),
    shirt(0, "S", "Sand"),
    shirt(1, "M", "Sand"),
    shirt(2, "S", "Blue"),
    shirt(3, "M", "Blue"),
    product({
      sku: "HOSTILE-1",
      name: `Gadget ${HOSTILE}`,
      brand: HOSTILE,
      description: HOSTILE,
      category: "Gadgets",
      attributes: { [HOSTILE.slice(0, 90)]: HOSTILE, color: "javascript:alert(3)" },
      url: "https://shop.example/?next=javascript:alert(4)",
      images: [`https://images.example/"onerror="alert(5)`],
      group: { id: HOSTILE, name: HOSTILE },
      options: { [HOSTILE.slice(0, 90)]: HOSTILE },
    }),
  ]),
);

const SEARCH = { tool: "search_products", args: { query: "wireless keyboard" } };
const DRY_RUN = {
  tool: "update_inventory",
  user: "user-inventory",
  args: {
    changes: [
      { sku: "KEY-1", warehouse: "east", set: 40 },
      { sku: "KEY-2", warehouse: "east", delta: -2 },
      { sku: "KEY-3", warehouse: "north", set: 7 },
    ],
    reason: "Counted on Monday",
    idempotency_key: "monday-count",
    dry_run: true,
  },
};

/** Returns what axe finds on the card, and whether it scrolls sideways. */
async function problemsOf(page: Page): Promise<string[]> {
  const card = page.frames().at(-1);
  if (card === undefined) throw new Error("There is no card.");
  return problemsIn(card);
}

describe.each(LOOKS)("%s, on a %s", (colorScheme, _, viewport) => {
  const look = { colorScheme, viewport };

  it("shows products, one of them, and a comparison in order", async () => {
    const { page, card, complaints } = await apps().open({ ...SEARCH, ...look });
    expect(await problemsOf(page)).toEqual([]);
    for (const name of ["0", "1", "2", "3"])
      await card.getByLabel(`Compare Wireless keyboard ${name}`).check();
    expect(await card.getByLabel("Compare Wireless keyboard 4").isDisabled()).toBe(true);
    expect(await problemsOf(page)).toEqual([]);
    await card.getByRole("button", { name: "Compare", exact: true }).click();
    await card.getByText("Comparing 4 products").waitFor();
    expect(await problemsOf(page)).toEqual([]);
    await card.getByRole("button", { name: "Back" }).click();
    await card.getByRole("button", { name: "Wireless keyboard 0" }).click();
    await card.getByText("$59.99").waitFor();
    expect(await problemsOf(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("shows a product with variants in order", async () => {
    const { page, card, complaints } = await apps().open({
      tool: "get_product",
      args: { sku: "SHIRT-0" },
      ...look,
    });
    await card.getByText("Show more").click();
    await card.locator("summary").click();
    expect(await problemsOf(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("shows a stock change to review in order", async () => {
    const { page, complaints } = await apps().open({ ...DRY_RUN, ...look });
    expect(await problemsOf(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

describe("product cards", () => {
  it("work by keyboard alone, and move the focus to what opens", async () => {
    const { page, card, asked } = await apps().open(SEARCH);
    const focused = () => card.locator(":focus").evaluate((element) => element.textContent);
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Wireless keyboard 1");
    await page.keyboard.press("Enter");
    await card.getByRole("heading", { name: "Wireless keyboard 1", level: 1 }).waitFor();
    expect(await focused()).toBe("Wireless keyboard 1");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect
      .poll(asked)
      .toContainEqual({ method: "ui/open-link", value: "https://shop.example/keyboard-1" });
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Enter");
    await card.getByRole("button", { name: "Show all 8" }).click();
    expect(await focused()).toContain("Wireless keyboard");
    expect(await card.getByRole("listitem").count()).toBe(8);
  });

  it("change with the chosen variant, without another call", async () => {
    const { card, asked } = await apps().open({ tool: "get_product", args: { sku: "SHIRT-0" } });
    expect(await card.locator(".offer").innerText()).toContain("$49.00");
    await card.getByText("Blue", { exact: true }).click();
    expect(await card.locator(".offer").innerText()).toMatch(/\$51\.00\s+Out of stock/);
    await card.getByText("M", { exact: true }).click();
    expect(await card.locator(".offer").innerText()).toMatch(/\$52\.00\s+In stock/);
    expect(await card.getByLabel("Blue").isChecked()).toBe(true);
    const said = await asked();
    expect(said.filter(({ method }) => method === "tools/call")).toEqual([]);
    expect(JSON.stringify(said.at(-1)?.value)).toContain("SHIRT-3");
  });

  it("open and compare products through the client's own calls", async () => {
    const { card, asked } = await apps().open(SEARCH);
    await card.getByLabel("Compare Wireless keyboard 0").check();
    await card.getByLabel("Compare Wireless keyboard 1").check();
    await card.getByRole("button", { name: "Compare", exact: true }).click();
    const row = card.getByRole("row", { name: /layout/i });
    await row.waitFor();
    expect(await row.getByRole("cell").allInnerTexts()).toEqual(["US", "DE"]);
    const calls = (await asked()).filter(({ method }) => method === "tools/call");
    expect(calls.map(({ value }) => value)).toEqual([
      { name: "get_product", arguments: { sku: "KEY-0" } },
      { name: "get_product", arguments: { sku: "KEY-1" } },
    ]);
  });

  it("stay useful in a client that calls no tools and opens no links", async () => {
    const { card, asked } = await apps().open({ ...SEARCH, capabilities: {} });
    expect(await card.getByRole("button", { name: "Wireless keyboard 0" }).count()).toBe(0);
    await card.getByLabel("Compare Wireless keyboard 0").check();
    await card.getByLabel("Compare Wireless keyboard 1").check();
    await card.getByRole("button", { name: "Compare", exact: true }).click();
    await card.getByText("Comparing 2 products").waitFor();
    expect(await asked()).toEqual([]);
  });

  it("show the refusal of a call, and keep what was there", async () => {
    const { page, card } = await apps().open(SEARCH);
    await page.evaluate(() => {
      window.callServer = async () => ({
        isError: true,
        content: [{ type: "text", text: "Too many calls." }],
      });
    });
    await card.getByRole("button", { name: "Wireless keyboard 0" }).click();
    expect(await card.getByRole("alert").innerText()).toBe("Too many calls.");
    expect(await card.getByRole("listitem").count()).toBe(6);
  });

  it("never let a product's texts become markup, and load nothing that the policy does not name", async () => {
    for (const asking of [
      { tool: "search_products", args: { query: "gadget" } },
      { tool: "get_product", args: { sku: "HOSTILE-1" } },
    ]) {
      const { page, card, complaints, loaded } = await apps().open(asking);
      expect(await card.locator("body").innerText()).toContain(HOSTILE);
      expect(await card.locator("body script:not([type=module]), b, [onerror]").count()).toBe(0);
      const links = await card
        .locator("a")
        .evaluateAll((all) => all.map((each) => each.getAttribute("href")));
      expect(links).toEqual(["https://shop.example/?next=javascript:alert(4)"]);
      expect(complaints).toEqual([]);
      expect(loaded.map((url) => new URL(url).host)).toEqual(["client.example", "cards.example"]);
      await page.close();
    }
  });

  it("take no address but http and https, whatever the answer holds", async () => {
    const url = "javascript:alert(1)";
    const structuredContent = {
      sku: "X",
      name: "X",
      url,
      images: [url, "data:text/html,x", "file:///etc/passwd", { toString: 1 }],
      group: { options: "none", items: [null, 7, { url, options: [null] }] },
      attributes: { deep: { toString: null }, list: [Symbol.iterator.toString()] },
    };
    const { card, complaints } = await apps().open({
      tool: "get_product",
      args: { sku: "SHIRT-0" },
      result: { content: [{ type: "text", text: "X" }], structuredContent },
    });
    expect(await card.locator("h1").innerText()).toBe("X");
    expect(await card.locator("a, img").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("show pictures from a host that the policy names", async () => {
    const { card, loaded } = await apps().open({
      ...SEARCH,
      pictures: {
        host: "images.example",
        draw: () => `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>`,
      },
    });
    await expect.poll(() => card.locator(".loaded").count()).toBe(6);
    expect(loaded).toContain("https://images.example/key-0.jpg");
  });

  it("take the client's colours together or not at all", async () => {
    const colours = {
      "--color-background-primary": "rgb(1, 2, 3)",
      "--color-background-secondary": "rgb(4, 5, 6)",
      "--color-text-primary": "rgb(250, 251, 252)",
      "--color-text-secondary": "rgb(200, 201, 202)",
      "--color-border-primary": "rgb(90, 91, 92)",
    };
    const { "--color-border-primary": _, ...some } = colours;
    const backgrounds = [];
    for (const variables of [colours, some]) {
      const { card } = await apps().open({ ...SEARCH, variables });
      backgrounds.push(await card.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor));
    }
    expect(backgrounds).toEqual(["rgb(1, 2, 3)", "rgb(255, 255, 255)"]);
  });
});

describe("a stock card", () => {
  const stockOf = async () => {
    const sql = `SELECT p.sku, s.quantity FROM stock s JOIN products p ON p.id = s.product_id
      WHERE p.sku IN ('KEY-1', 'KEY-2') AND s.warehouse = 'east' ORDER BY p.sku`;
    const [rows] = await apps().server.batch([{ sql, values: [] }]);
    return rows;
  };

  it("applies exactly the change that it shows, and nothing once the stock has changed", async () => {
    const first = await apps().open(DRY_RUN);
    expect(await first.card.locator("h1").innerText()).toBe("Stock change to review: 3 places");
    const second = await apps().open({
      ...DRY_RUN,
      args: { ...DRY_RUN.args, idempotency_key: "second-count" },
    });
    const rows = await first.card.locator("tbody tr").allInnerTexts();
    expect(rows.map((row) => row.split(/\s+/))).toEqual([
      ["KEY-1", "east", "3", "40", "+37"],
      ["KEY-2", "east", "3", "1", "−2"],
      ["KEY-3", "north", "unknown", "7", "–"],
    ]);
    await first.card.getByRole("button", { name: "Apply this change" }).click();
    await first.card.getByText("Stock changed: 3 places").waitFor();
    expect(await stockOf()).toMatchObject([{ quantity: 40 }, { quantity: 1 }]);
    await second.card.getByRole("button", { name: "Apply this change" }).click();
    expect(await second.card.getByRole("alert").innerText()).toContain("conflict");
    expect(await stockOf()).toMatchObject([{ quantity: 40 }, { quantity: 1 }]);
  });

  it("leads to the confirmation that a large change needs", async () => {
    const { card, asked } = await apps().open({
      ...DRY_RUN,
      args: {
        changes: [{ sku: "KEY-5", warehouse: "east", set: 30_000 }],
        reason: "Delivery",
        dry_run: true,
      },
    });
    await card.getByRole("button", { name: "Apply this change" }).click();
    await card.getByRole("link", { name: "Open the confirmation page" }).click();
    // The page's message to the client may arrive after the click.
    const opened = async () => (await asked()).find(({ method }) => method === "ui/open-link")?.value;
    await expect.poll(opened).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/confirm\/./);
  });

  it("offers nothing to press in a client that calls no tools", async () => {
    const { card } = await apps().open({ ...DRY_RUN, capabilities: {} });
    expect(await card.getByRole("button").count()).toBe(0);
  });
});
