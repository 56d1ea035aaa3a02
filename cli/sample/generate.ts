import type { ProductRecord } from "../../src/catalog/import/record.ts";
import { chance } from "./chance.ts";
import { type Kind, adjectives, brands, kinds } from "./vocabulary.ts";

const WAREHOUSES = ["east", "west", "central"];
const FIRST_SKU = 10_001;
/** One product in so many has a sale, and one has no quantities. */
const SALE_EVERY = 9;
const UNKNOWN_STOCK_EVERY = 40;
const SHOP = "https://shop.example";
/** The SKU that the documentation uses for a discontinued product; generated products skip it. */
const DISCONTINUED_SKU = 12_847;

/**
 * Generates a plausible catalog one product at a time: the same `count` and `seed` always give the same
 * products.
 */
export function* generateProducts(count: number, seed: number): Generator<ProductRecord> {
  const { between, oneOf } = chance(seed);
  const categories = [...kinds.values()];

  const fixed = fixedProducts().slice(0, count);
  yield* fixed;
  let number = FIRST_SKU + 100;
  for (let made = fixed.length; made < count; made++) {
    if (number === DISCONTINUED_SKU) number++;
    yield describe(number++, oneOf(oneOf(categories)));
  }

  function describe(skuNumber: number, { category, noun, ...kind }: Kind): ProductRecord {
    const brand = oneOf(brands);
    const adjective = oneOf(adjectives);
    const attributes = Object.fromEntries(
      Object.entries(kind.traits).map(([trait, values]) => [trait, oneOf(values)]),
    );
    const traits = Object.entries(attributes).map((trait) => trait.join(" "));
    return productOf(skuNumber, {
      name: `${brand} ${adjective} ${noun}`,
      brand,
      description: `${adjective} ${noun.toLowerCase()} by ${brand}: ${traits.join(", ")}.`,
      category,
      attributes,
      price: Math.round(between(...kind.price) / 500) * 500 + 499,
      modelNumber: `${between(100, 999)}${oneOf(["", "S", "X", "XL"])}`,
      status: between(1, 40) === 1 ? "discontinued" : "active",
      supplier_id: `S-${between(100, 999)}`,
      quantities: WAREHOUSES.map(() => (between(1, 8) === 1 ? 0 : between(1, 120))),
      isStockKnown: skuNumber % UNKNOWN_STOCK_EVERY > 0,
    });
  }
}

interface Own extends Pick<ProductRecord, "name" | "brand" | "category" | "description"> {
  /** In cents. */
  price: number;
  attributes?: Record<string, string>;
  modelNumber?: string;
  status?: ProductRecord["status"];
  supplier_id?: string;
  /** By warehouse. */
  quantities?: readonly number[];
  isStockKnown?: boolean;
}

function productOf(number: number, own: Own): ProductRecord {
  const { name, brand, description, category, price, attributes = {}, status = "active" } = own;
  const { modelNumber = number % 1000, supplier_id = "S-100" } = own;
  const { quantities = [12, 24, 36], isStockKnown = true } = own;
  const stock = WAREHOUSES.map((warehouse, index) => ({ warehouse, quantity: quantities[index] ?? 0 }));
  const sale = { price_minor: Math.round((price * 0.8) / 100) * 100 - 1 };
  return {
    sku: `SKU-${number}`,
    name,
    model: `${brand.slice(0, 2).toUpperCase()}-${modelNumber}`,
    brand,
    description,
    category,
    price_minor: price,
    currency: "USD",
    ...(number % SALE_EVERY === 0 && { sale }),
    options: {},
    url: `${SHOP}/products/sku-${number}`,
    images: [`${SHOP}/images/sku-${number}.jpg`],
    condition: "new",
    rating: { value: 3 + (number % 21) / 10, count: (number * 7) % 400 },
    gtin: gtin13(number),
    status,
    attributes,
    cost_minor: Math.round(price * 0.6),
    supplier_id,
    ...(isStockKnown && { stock }),
  };
}

/** Returns one variant for each combination of the options. The last can be ordered before it is there. */
function variants(
  number: number,
  { id, choices, ...own }: Omit<Own, "description"> & { id: string; choices: Record<string, string[]> },
): ProductRecord[] {
  const combinations = Object.entries(choices).reduce<Record<string, string>[]>(
    (found, [option, values]) =>
      found.flatMap((each) => values.map((value) => ({ ...each, [option]: value }))),
    [{}],
  );
  return combinations.map((options, index) => ({
    ...productOf(number + index, {
      ...own,
      price: own.price + 500 * index,
      description: `${own.name} by ${own.brand}, in ${Object.values(options).join(", ")}.`,
      ...(index === 1 && { quantities: [] }),
    }),
    group: { id, name: `${own.brand} ${own.name}` },
    options,
    ...(index === combinations.length - 1 && { availability: "preorder", available_from: "2027-03-01" }),
  }));
}

/** The products that the documentation and the first answers name. */
const fixedProducts = (): ProductRecord[] => [
  productOf(FIRST_SKU, {
    name: "Wireless Keyboard",
    brand: "Voltway",
    category: "Electronics",
    price: 7999,
    description: "Full-size wireless keyboard with quiet keys, for three devices at once.",
    attributes: { connection: "Bluetooth", layout: "US" },
  }),
  productOf(FIRST_SKU + 1, {
    name: "Cotton T-Shirt",
    brand: "Fernhill",
    category: "Clothing",
    price: 2499,
    description: "Soft crew-neck T-shirt of organic cotton.",
    attributes: { colour: "White", size: "M" },
  }),
  productOf(FIRST_SKU + 2, {
    name: "Desk Lamp",
    brand: "Lumera",
    category: "Home & Kitchen",
    price: 4999,
    description: "Dimmable LED desk lamp with a swivel arm.",
    attributes: { bulb: "LED", colour: "Black" },
  }),
  productOf(DISCONTINUED_SKU, {
    name: "Travel Dock Classic",
    brand: "Kestrel",
    category: "Electronics",
    price: 5999,
    description: "USB-C travel dock of the last generation.",
    attributes: { ports: "5" },
    status: "discontinued",
  }),
  ...variants(10_011, {
    id: "fernhill-hoodie",
    name: "Organic Hoodie",
    brand: "Fernhill",
    category: "Clothing",
    price: 5999,
    choices: { Color: ["Navy", "Sage Green"], Size: ["S", "M", "L"] },
  }),
  ...variants(10_021, {
    id: "tidewell-bottle",
    name: "Steel Bottle",
    brand: "Tidewell",
    category: "Sports & Outdoors",
    price: 2499,
    choices: { Volume: ["500 ml", "1 l"] },
  }),
];

/** Returns a GTIN-13 with its check digit, in GS1's range for internal use (prefix 2). */
function gtin13(number: number): string {
  const digits = `2${String(number).padStart(11, "0")}`;
  const sum = Array.from(digits).reduce(
    (total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3),
    0,
  );
  return `${digits}${(10 - (sum % 10)) % 10}`;
}
