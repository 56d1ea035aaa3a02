import type { ProductRecord } from "../record.ts";
import { toMoney } from "../../money.ts";
import { clip, plainLine } from "../../../text/plain-text.ts";

const NAME_MAX = 60;

/** One product in a line, as a shopper will see it: name, price, availability and link. */
export function shopperLine(record: ProductRecord): string {
  const { sku, name, price_minor: regular, currency, sale, url } = record;
  const money = (minor: number) => toMoney(minor, currency).formatted;
  const during = [sale?.starts_at, sale?.ends_at].map((instant) => instant?.slice(0, 10) ?? "");
  const price =
    sale === undefined
      ? money(regular)
      : `${money(sale.price_minor)} instead of ${money(regular)}${during.join("") === "" ? "" : ` (${during.join(" to ").trim()})`}`;
  const parts = [sku, clip(plainLine(name), NAME_MAX), price, availabilityOf(record), url || "no link"];
  return parts.join(" | ");
}

function availabilityOf({ availability, stock, status }: ProductRecord): string {
  if (status === "discontinued") return "discontinued";
  if (availability !== undefined) return availability.replaceAll("_", " ");
  if (stock === undefined) return "availability unknown";
  return stock.some(({ quantity }) => quantity > 0) ? "in stock" : "out of stock";
}
