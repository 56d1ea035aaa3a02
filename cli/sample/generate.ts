import type { ProductRecord } from "../../src/catalog/import/record.ts";
import { chance } from "./chance.ts";
import { type Kind, adjectives, brands, kinds } from "./vocabulary.ts";

const WAREHOUSES = ["east", "west", "central"];
const FIRST_SKU = 10_001;
/** The SKU that the documentation uses for a discontinued product; generated products skip it. */
const DISCONTINUED_SKU = 12_847;

/**
 * Generates a plausible catalog one product at a time: the same `count` and `seed` always give the same
 * products.
 */
export function* generateProducts(count: number, seed: number): Generator<ProductRecord> {
  const { between, oneOf } = chance(seed);

  const fixed = fixedProducts().slice(0, count);
  yield* fixed;
  let number = FIRST_SKU + 100;
  for (let made = fixed.length; made < count; made++) {
    if (number === DISCONTINUED_SKU) number++;
    const [category, choices] = oneOf(Object.entries(kinds));
    yield describe(number++, category, oneOf(choices));
  }

  function describe(skuNumber: number, category: string, kind: Kind): ProductRecord {
    const brand = oneOf(brands);
    const adjective = oneOf(adjectives);
    const attributes = Object.fromEntries(
      Object.entries(kind.traits).map(([trait, values]) => [trait, oneOf(values)]),
    );
    const price = Math.round(between(...kind.price) / 500) * 500 + 499;
    return {
      sku: `SKU-${skuNumber}`,
      name: `${brand} ${adjective} ${kind.noun}`,
      model: `${brand.slice(0, 2).toUpperCase()}-${between(100, 999)}${oneOf(["", "S", "X", "XL"])}`,
      brand,
      description: `${adjective} ${kind.noun.toLowerCase()} by ${brand}: ${Object.entries(attributes)
        .map(([trait, value]) => `${trait} ${value}`)
        .join(", ")}.`,
      category,
      price,
      currency: "USD",
      gtin: gtin13(skuNumber),
      image_url: "",
      status: between(1, 40) === 1 ? "discontinued" : "active",
      attributes,
      cost: Math.round(price * 0.6),
      supplier_id: `S-${between(100, 999)}`,
      stock: WAREHOUSES.map((warehouse) => ({
        warehouse,
        quantity: between(1, 8) === 1 ? 0 : between(1, 120),
      })),
    };
  }
}

function fixedProducts(): ProductRecord[] {
  return [
    known(
      FIRST_SKU,
      "Wireless Keyboard",
      "Voltway",
      "Electronics",
      7999,
      "Full-size wireless keyboard with quiet keys, for three devices at once.",
      { connection: "Bluetooth", layout: "US" },
    ),
    known(
      FIRST_SKU + 1,
      "Cotton T-Shirt",
      "Fernhill",
      "Clothing",
      2499,
      "Soft crew-neck T-shirt of organic cotton.",
      { colour: "White", size: "M" },
    ),
    known(
      FIRST_SKU + 2,
      "Desk Lamp",
      "Lumera",
      "Home & Kitchen",
      4999,
      "Dimmable LED desk lamp with a swivel arm.",
      { bulb: "LED", colour: "Black" },
    ),
    {
      ...known(
        DISCONTINUED_SKU,
        "Travel Dock Classic",
        "Kestrel",
        "Electronics",
        5999,
        "USB-C travel dock of the last generation.",
        { ports: "5" },
      ),
      status: "discontinued",
    },
  ];
}

function known(
  number: number,
  name: string,
  brand: string,
  category: string,
  price: number,
  description: string,
  attributes: Record<string, string>,
): ProductRecord {
  return {
    sku: `SKU-${number}`,
    name,
    model: `${brand.slice(0, 2).toUpperCase()}-${number % 1000}`,
    brand,
    description,
    category,
    price,
    currency: "USD",
    gtin: gtin13(number),
    image_url: "",
    status: "active",
    attributes,
    cost: Math.round(price * 0.6),
    supplier_id: "S-100",
    stock: WAREHOUSES.map((warehouse, index) => ({ warehouse, quantity: 12 * (index + 1) })),
  };
}

/** Returns a GTIN-13 with its check digit, in GS1's range for internal use (prefix 2). */
function gtin13(number: number): string {
  const digits = `2${String(number).padStart(11, "0")}`;
  const sum = Array.from(digits).reduce(
    (total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3),
    0,
  );
  return `${digits}${(10 - (sum % 10)) % 10}`;
}
