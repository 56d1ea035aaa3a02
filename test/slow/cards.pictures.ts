import { mkdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { product, seed } from "../node/support/imports.ts";
import { useAppsHost } from "./support/apps-host.ts";
import { chatPage } from "./support/chat.ts";
import { type Keyboard, drawKeyboard } from "./support/drawings.ts";

// npx vitest run --project pictures: draws cards in a chat.

const OUT = "docs/images";
const DESKTOP = { width: 840, height: 700 };
const PHONE = { width: 390, height: 844 };

const KEYBOARDS: { drawn: Keyboard; record: Parameters<typeof product>[0] }[] = [
  {
    record: {
      sku: "VW-K90",
      name: "Voltway K90 wireless keyboard",
      price_minor: 9900,
      sale: { price_minor: 7400 },
      rating: { value: 4.7, count: 312 },
    },
    drawn: { ground: "#e8eef7", body: "#2b2f3a", keys: "#454b5a", accent: "#f2a33c", columns: 15 },
  },
  {
    record: {
      sku: "FH-TWO",
      name: "Fernhill Two, compact wireless keyboard",
      brand: "Fernhill",
      price_minor: 6450,
      rating: { value: 4.4, count: 128 },
    },
    drawn: { ground: "#eaf3ec", body: "#f7f8f4", keys: "#dfe4da", accent: "#5d9b72", columns: 10 },
  },
  {
    record: {
      sku: "LM-SOFT",
      name: "Lumera Soft wireless keyboard",
      brand: "Lumera",
      price_minor: 8900,
      rating: { value: 4.8, count: 86 },
      availability: "preorder",
      available_from: "2026-12-18",
    },
    drawn: { ground: "#f6ecef", body: "#e9c9cf", keys: "#fbeff1", accent: "#b4566c", columns: 13 },
  },
];

const apps = useAppsHost((server) =>
  seed(
    server,
    KEYBOARDS.map(({ record }) =>
      product({
        ...record,
        url: `https://shop.example/${record.sku.toLowerCase()}`,
        images: [`https://images.example/${record.sku}`],
        description: "Quiet keys, three devices at once, and a battery that lasts for months.",
        attributes: { connection: "Bluetooth", layout: "US" },
      }),
    ),
  ),
);

it.each([
  ["light", "desktop", DESKTOP],
  ["dark", "desktop", DESKTOP],
  ["light", "phone", PHONE],
  ["dark", "phone", PHONE],
] as const)("%s, on a %s", async (colorScheme, width, viewport) => {
  await mkdir(OUT, { recursive: true });
  const { page, card } = await apps().open({
    tool: "search_products",
    args: { query: "wireless keyboard", max_price: 100 },
    colorScheme,
    viewport,
    pictures: {
      host: "images.example",
      draw(path) {
        const found = KEYBOARDS.find(({ record }) => path === `/${record.sku}`);
        if (found === undefined) throw new Error(`No drawing of ${path}.`);
        return drawKeyboard(found.drawn);
      },
    },
    chat: chatPage(
      "I need a wireless keyboard for under $100.",
      "Three fit. The Voltway K90 is on sale and in stock; the Lumera Soft has the best rating, but ships on December 18.",
    ),
  });
  await expect.poll(() => card.locator(".loaded").count()).toBe(KEYBOARDS.length);
  const path = `${OUT}/card-${width}-${colorScheme}.png`;
  const { height } = (await page.locator("main").boundingBox()) ?? { height: viewport.height };
  await page.setViewportSize({ ...viewport, height: Math.ceil(height) });
  expect((await page.screenshot({ path })).length).toBeGreaterThan(10_000);
});
