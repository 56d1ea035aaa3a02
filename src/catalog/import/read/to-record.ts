import { AMOUNTS, type Reading, STOCK, formOf, readNumber, toMinor } from "./amounts.ts";
import { toAvailability, toCondition, toDay, toGtin, toImages, toInstant, toUrl } from "./field-text.ts";
import { htmlToText } from "./html-text.ts";
import { madeSku, skuOf } from "./made-sku.ts";
import { type Cells, type Draft, isObject, present, textOf } from "./rows.ts";
import type { Survey } from "./survey.ts";
import type { Notes } from "./notes.ts";

/** A row of the catalog's schema, not checked yet, or the problem with its numbers. */
type Converted = { value: Cells } | { problem: string };

const CONVERTED = [
  ["gtin", toGtin],
  ["condition", toCondition],
  ["availability", toAvailability],
  ["available_from", toDay],
] as const;
const TEXTS = ["name", "brand", "model", "category", "description"] as const;

/**
 * Converts a draft to a row of the catalog's schema: HTML to text, amounts to minor units, repeated and missing SKUs to
 * made ones. The schema checks the result.
 */
export function toRecord(
  draft: Draft,
  { reading, repeatedSkus, takenSkus }: Survey,
  notes: Notes,
): Converted {
  const fields = present(draft.fields);
  const money = readMoney(fields, reading);
  if (typeof money === "string") return { problem: money };
  const { price_minor: regular, sale } = money;
  if (regular === 0) notes.count("zeroPrice");
  const reduced = sale?.["price_minor"];
  if (typeof regular === "number" && typeof reduced === "number" && reduced >= regular)
    notes.count("salesNotLower");
  const stock = readStock(fields["stock"], reading, notes);
  if (typeof stock === "string") return { problem: stock };

  const { price: _price, list_price: _listed, cost: _cost, sale: _sale, stock: _stock, ...others } = fields;
  const value: Record<string, unknown> = { ...others, ...money, ...(stock && { stock }) };

  const sku = skuOf(draft);
  if (draft.identity !== undefined && (sku === "" || repeatedSkus.has(sku))) {
    const made = madeSku(draft.identity, takenSkus);
    value["sku"] = made;
    if (made !== sku) notes.count(sku === "" ? "skusMissing" : "skusRepeated");
  } else if (draft.identity !== undefined || typeof fields["sku"] === "number") value["sku"] = sku;

  for (const name of TEXTS) {
    const text = value[name];
    if (typeof text === "string") value[name] = htmlToText(text);
  }
  cleanNested(value);
  if (value["url"] !== undefined) value["url"] = toUrl(value["url"]);
  const images = toImages(value["images"]);
  if (value["image_url"] !== undefined) {
    value["images"] = images.length > 0 ? images : toImages(value["image_url"]);
    value["image_url"] = undefined;
  } else if (value["images"] !== undefined) value["images"] = images;
  for (const [name, convert] of CONVERTED) if (value[name] !== undefined) value[name] = convert(value[name]);
  return { value: present(value) };
}

/** The objects of a row: attributes and options lose markup, a group or rating without an id or count is left out. */
function cleanNested(value: Record<string, unknown>): void {
  for (const name of ["attributes", "options"]) {
    const texts = value[name];
    if (!isObject(texts)) continue;
    value[name] = Object.fromEntries(
      Object.entries(present(texts)).map(([key, text]) => [
        key,
        typeof text === "string" ? htmlToText(text) : text,
      ]),
    );
  }
  const { group, rating } = value;
  if (isObject(group)) {
    const { id, name } = group;
    if (textOf(id) === "") delete value["group"];
    else value["group"] = { id: textOf(id), name: htmlToText(textOf(name) || textOf(value["name"])) };
  }
  if (isObject(rating))
    value["rating"] = { value: toNumber(rating["value"]), count: toNumber(rating["count"] ?? 0) };
}

const toNumber = (value: unknown): unknown => {
  const form = typeof value === "string" ? formOf(value) : undefined;
  return form === undefined ? value : Number(form.digits.replace(",", "."));
};

interface Money {
  price_minor?: unknown;
  cost_minor?: unknown;
  currency?: string;
  sale?: Record<string, unknown>;
}

function readMoney(fields: Readonly<Record<string, unknown>>, reading: Reading): Money | string {
  const offered = isObject(fields["sale"]) ? present(fields["sale"]) : {};
  const named = textOf(fields["currency"]).toUpperCase();
  const amounts = AMOUNTS.flatMap((name) => {
    const value = name === "sale.price" ? offered["price"] : fields[name];
    const form = typeof value === "string" ? formOf(textOf(value)) : undefined;
    return form?.written === undefined ? [] : [{ name, named: form.currency, ...form.written }];
  });
  const currency = named || (amounts.find((each) => each.named !== undefined)?.named ?? "");
  for (const { name, named: own, unit, currencies } of amounts) {
    if (currencies.length === 0)
      return `${name}: "${unit}" is no known currency. Write the code of its currency, such as EUR`;
    if (currency !== "" && !currencies.includes(currency))
      return `${name}: is in ${own ?? unit}, but the currency is ${currency}`;
  }
  const problems: string[] = [];
  const amount = (column: string, value: unknown): number | undefined => {
    if (value === undefined) return undefined;
    if (reading.unit === undefined && typeof value === "number") {
      problems.push(
        `${column}: has no unit. Name it ${column}_minor, or say that prices are in major or minor units`,
      );
      return undefined;
    }
    const number = readNumber(value, column, reading);
    const minor =
      typeof number === "number" ? toMinor(number, currency || "EUR", reading.unit ?? "major") : number;
    if (typeof minor === "number") return minor;
    problems.push(`${column}: ${minor}`);
    return undefined;
  };
  const price = amount("price", fields["price"]);
  const listed = amount("list_price", fields["list_price"]);
  const cost = amount("cost", fields["cost"]);
  const salePrice = amount("sale.price", offered["price"]);
  if (price !== undefined && fields["price_minor"] !== undefined)
    problems.push("price: is given beside price_minor. Name one of them");
  if (problems.length > 0) return problems.join("; ");

  const { price: _, ...dates } = offered;
  const starts = toInstant(dates["starts_at"], "start");
  const ends = toInstant(dates["ends_at"], "end");
  const isReduced = price !== undefined && listed !== undefined && listed > price;
  const regular = isReduced ? listed : (price ?? fields["price_minor"]);
  const reduced = salePrice ?? (isReduced ? price : offered["price_minor"]);
  const sale = {
    price_minor: wholeNumber(reduced),
    ...(starts !== undefined && { starts_at: starts }),
    ...(ends !== undefined && { ends_at: ends }),
  };
  const costMinor = cost ?? fields["cost_minor"];
  return {
    ...(regular !== undefined && { price_minor: wholeNumber(regular) }),
    ...(currency !== "" && { currency }),
    ...(costMinor !== undefined && { cost_minor: wholeNumber(costMinor) }),
    ...(reduced !== undefined && { sale }),
  };
}

/** Cells of CSV are texts. A text that is no whole number stays, and the schema rejects it. */
const wholeNumber = (value: unknown): unknown =>
  typeof value === "string" && /^\d{1,15}$/.test(value.trim()) ? Number(value) : value;

interface Entry {
  warehouse: string;
  quantity: unknown;
}

function readStock(stock: unknown, reading: Reading, notes: Notes): unknown[] | string | undefined {
  if (stock === undefined) return undefined;
  const entries: Entry[] = [];
  if (Array.isArray(stock)) {
    for (const entry of stock) {
      if (!isObject(entry)) return "stock: is not a list of {warehouse, quantity}";
      entries.push({ ...entry, warehouse: textOf(entry["warehouse"]), quantity: entry["quantity"] });
    }
  } else if (isObject(stock)) {
    for (const [warehouse, value] of Object.entries(present(stock))) {
      const quantity = readNumber(value, STOCK, reading);
      if (typeof quantity === "string") return `stock.${warehouse}: ${quantity}`;
      entries.push({ warehouse, quantity });
    }
    if (entries.length === 0) return undefined;
  } else return "stock: is not a list of {warehouse, quantity}";
  if (entries.some(({ quantity }) => typeof quantity === "number" && quantity < 0))
    notes.count("negativeStock");
  return entries.map((entry) => ({
    ...entry,
    quantity: typeof entry.quantity === "number" ? Math.max(0, entry.quantity) : entry.quantity,
  }));
}
