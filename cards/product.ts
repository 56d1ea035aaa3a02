import { entries, field, list, number, text, webUrl } from "./read.ts";

// Products as the page shows them, read from the answers of search_products and get_product.

export interface Option {
  name: string;
  value: string;
}

/** The parts in which variants of a product differ. Texts are empty where nothing is known. */
export interface Offer {
  sku: string;
  price: string;
  /** The regular price while a sale runs. */
  listPrice: string;
  /** Percent that the sale takes off, rounded down. */
  off: number;
  availability: string;
  availableFrom: string;
  url: string | undefined;
  options: Option[];
  image: string;
}

export interface Product extends Offer {
  name: string;
  brand: string;
  category: string;
  rating: { value: number; count: number } | undefined;
  group: { name: string; variants: number; available: number; from: string; to: string } | undefined;
}

export interface Detail extends Product {
  images: string[];
  description: string;
  facts: [name: string, value: string][];
  choices: { name: string; values: { value: string; availability: string }[] }[];
  variants: Offer[];
  /** Whether there are more variants than `variants`. */
  isCut: boolean;
}

const plain = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";

const formatted = (of: unknown, name: string): string => text(field(of, name), "formatted");

function percentOff(of: unknown): number {
  const price = number(field(of, "price"), "amount_minor") ?? 0;
  const regular = number(field(of, "list_price"), "amount_minor") ?? 0;
  return regular > price && price >= 0 ? Math.floor((1 - price / regular) * 100) : 0;
}

const optionsOf = (of: unknown): Option[] =>
  list(of, "options").map((option) => ({ name: text(option, "name"), value: text(option, "value") }));

function readOffer(of: unknown): Offer {
  return {
    sku: text(of, "sku"),
    // The first version of search_products answered a plain number.
    price: formatted(of, "price") || String(number(of, "price") ?? ""),
    listPrice: formatted(of, "list_price"),
    off: percentOff(of),
    availability: text(of, "availability"),
    availableFrom: text(of, "available_from"),
    url: webUrl(field(of, "url")),
    options: optionsOf(of),
    image: text(of, "image"),
  };
}

export function readProduct(of: unknown): Product {
  const group = field(of, "group");
  const value = number(field(of, "rating"), "value");
  return {
    ...readOffer(of),
    name: text(of, "name"),
    brand: text(of, "brand"),
    category: text(of, "category"),
    rating: value === undefined ? undefined : { value, count: number(field(of, "rating"), "count") ?? 0 },
    group:
      group === undefined
        ? undefined
        : {
            name: text(group, "name"),
            variants: number(group, "variants") ?? 0,
            available: number(group, "available") ?? 0,
            from: formatted(group, "price_min"),
            to: formatted(group, "price_max"),
          },
  };
}

/** Reads a search's products. Their pictures' addresses come beside them (`_meta` of the answer). */
export function readProducts(result: unknown): Product[] {
  const images = field(field(result, "_meta"), "product-catalog-mcp/images");
  return list(field(result, "structuredContent"), "products").map((each) => {
    const product = readProduct(each);
    return { ...product, image: product.image || text(images, product.sku) };
  });
}

export function readDetail(of: unknown): Detail {
  const group = field(of, "group");
  const images = list(of, "images").filter((each) => typeof each === "string");
  const facts = [
    ["Model", text(of, "model")],
    ["Condition", text(of, "condition")],
    ...entries(of, "attributes").map(([name, value]) => [name, plain(value)]),
    ["GTIN", text(of, "gtin")],
  ] as const;
  return {
    ...readProduct(of),
    image: images[0] ?? text(of, "image_url"),
    images,
    description: text(of, "description"),
    facts: facts.flatMap(([name = "", value = ""]) => (value === "" ? [] : [[name, value]])),
    choices: list(group, "options").map((option) => ({
      name: text(option, "name"),
      values: list(option, "values").map((each) => ({
        value: text(each, "value"),
        availability: text(each, "availability"),
      })),
    })),
    variants: list(group, "items").map(readOffer),
    isCut: field(group, "truncated") === true,
  };
}

/** How each availability is worded, and how good it is for a shopper. */
const AVAILABILITY = new Map([
  ["in_stock", { words: "In stock", mood: "good" }],
  ["preorder", { words: "Preorder", mood: "soon" }],
  ["backorder", { words: "On backorder", mood: "soon" }],
  ["out_of_stock", { words: "Out of stock", mood: "gone" }],
  ["discontinued", { words: "Discontinued", mood: "gone" }],
]);
const UNKNOWN = { words: "Stock not known", mood: "none" };

export function wordAvailability({
  availability,
  availableFrom,
}: Pick<Offer, "availability" | "availableFrom">) {
  const { words, mood } = AVAILABILITY.get(availability) ?? UNKNOWN;
  return { words: availableFrom === "" ? words : `${words}, from ${availableFrom}`, mood };
}

/** Options in one line, such as "M, Blue". */
export const optionWords = (options: readonly Option[]): string =>
  options.map(({ value }) => value).join(", ");
