import * as z from "zod";
import type { Statement } from "../../database/statement.ts";
import { clip, plainLine } from "../../text/plain-text.ts";
import { availabilityColumns, availabilityOf, stockedOf } from "../availability.ts";
import { toMoney } from "../money.ts";
import type { ProductRecord } from "./record.ts";

const NAME_MAX = 60;

const stockRow = z.object({ sku: z.string(), stocked: availabilityColumns.stocked });

/** Returns the `sku` of these products, and whether the catalog has units of them (`stocked`). */
const stockOf = (skus: readonly string[]): Statement => ({
  sql: `SELECT p.sku, ${stockedOf("p")} AS stocked FROM products p WHERE p.sku IN (SELECT value FROM json_each(?1))`,
  values: [JSON.stringify(skus)],
});

/**
 * Each product in a line, as a shopper will see it after the import: SKU, name, price, availability and link. `query` reads the
 * catalog, whose stock stays if the file has none; it returns undefined if the catalog can't be read. `now` is in milliseconds.
 */
export async function shopperLines(
  records: readonly ProductRecord[],
  query: (statement: Statement) => Promise<unknown[] | undefined>,
  now: number,
): Promise<string[]> {
  const skus = records.filter(({ stock }) => stock === undefined).map(({ sku }) => sku);
  const rows = skus.length === 0 ? [] : await query(stockOf(skus));
  const present =
    rows &&
    new Map(
      z
        .array(stockRow)
        .parse(rows)
        .map(({ sku, stocked }) => [sku, stocked] as const),
    );
  return records.map((record) => {
    const { sku, name, url, stock } = record;
    const stocked = stock === undefined ? present && (present.get(sku) ?? null) : stockedBy(stock);
    return [
      sku,
      clip(plainLine(name), NAME_MAX),
      priceOf(record, now),
      availabilityIn(record, stocked),
      url || "no link",
    ].join(" | ");
  });
}

const stockedBy = (stock: readonly { quantity: number }[]): number | null =>
  stock.length === 0 ? null : Number(stock.some(({ quantity }) => quantity > 0));

function priceOf({ price_minor, currency, sale }: ProductRecord, now: number): string {
  const regular = toMoney(price_minor, currency).formatted;
  const { starts_at: starts, ends_at: ends } = sale ?? {};
  if (sale === undefined || (ends !== undefined && Date.parse(ends) <= now)) return regular;
  const reduced = toMoney(sale.price_minor, currency).formatted;
  const until = ends === undefined ? "" : ` until ${dayOf(ends)}`;
  return starts !== undefined && Date.parse(starts) > now
    ? `${regular} (${reduced} from ${dayOf(starts)}${until})`
    : `${reduced} instead of ${regular}${until}`;
}

/** A day, with the time where it is not the first or last second of the day in UTC. */
const dayOf = (instant: string): string =>
  instant
    .slice(0, 16)
    .replace(/T(?:00:00|23:59)$/, "")
    .replace("T", " ")
    .replace(/:\d\d$/, "$& UTC");

function availabilityIn(record: ProductRecord, stocked: number | null | undefined): string {
  const { status, availability } = record;
  if (stocked === undefined && status === "active" && (availability ?? "in_stock") === "in_stock")
    return "availability by its present stock";
  const found = availabilityOf({
    status,
    availability: availability ?? null,
    available_from: null,
    stocked: stocked ?? null,
  });
  return found === "unknown" ? "availability unknown" : found.replaceAll("_", " ");
}
