import { feedAvailability, feedCondition } from "../record.ts";
import { textOf } from "./rows.ts";

// Conversions of single fields from the spellings that vendors use. A text that none of them knows is returned as it
// is, for the schema to reject.

const AVAILABILITY: Readonly<Record<string, string>> = {
  available: "in_stock",
  available_for_order: "in_stock",
  instock: "in_stock",
  limited_availability: "in_stock",
  limited_stock: "in_stock",
  in_store_only: "in_stock",
  online_only: "in_stock",
  onbackorder: "backorder",
  back_order: "backorder",
  pre_order: "preorder",
  outofstock: "out_of_stock",
  sold_out: "out_of_stock",
};
const CONDITION: Readonly<Record<string, string>> = {
  new_condition: "new",
  refurbished_condition: "refurbished",
  renewed: "refurbished",
  used_condition: "used",
  secondhand: "used",
  second_hand: "used",
};

/** `In stock`, `https://schema.org/InStock` and `in-stock` as `in_stock`. */
const nameOf = (value: unknown): string =>
  textOf(value)
    .replace(/^https?:\/\/schema\.org\//i, "")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");

const nameIn =
  (names: readonly string[], spellings: Readonly<Record<string, string>>) =>
  (value: unknown): string => {
    const name = nameOf(value);
    const found = spellings[name] ?? name;
    return names.includes(found) ? found : textOf(value);
  };

export const toAvailability = nameIn(feedAvailability.options, AVAILABILITY);
export const toCondition = nameIn(feedCondition.options, CONDITION);

/** The digits of a barcode: spreadsheets write an apostrophe before them, people write spaces and hyphens. */
export const toGtin = (value: unknown): string => {
  const text = textOf(value)
    .replace(/^['’=]+/, "")
    .replaceAll('"', "");
  return /^[\d\s-]+$/.test(text) ? text.replaceAll(/[\s-]/g, "") : text;
};

/** A web address; one that begins with `//` gets the scheme. */
export const toUrl = (value: unknown): string => textOf(value).replace(/^\/\/(?=[^/])/, "https://");

/** Addresses of images: a list, or a text that separates them by commas before the next scheme. */
export function toImages(value: unknown): string[] {
  const texts = (Array.isArray(value) ? value : [value]).flatMap((each) =>
    withShortSpaces(textOf(each)).split(/[,|\n]\s?(?=(?:https?:)?\/\/|$)/i),
  );
  return [...new Set(texts.map(toUrl).filter((text) => text !== ""))];
}

/** One line break or space for each run of them. A pattern that looks for separators in long runs takes quadratic time. */
const withShortSpaces = (text: string): string =>
  text.replaceAll(/\s+/g, (run) => (run.includes("\n") ? "\n" : " "));

/** Spreadsheets of many countries write `31.12.2026`. Days with slashes are left as they are: `1/2/2026` is two days. */
const withIsoDay = (text: string): string =>
  text.replace(
    /^(\d{1,2})\.(\d{1,2})\.(\d{4})(?=$|[T ])/,
    (_, day: string, month: string, year: string) =>
      `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`,
  );

/** The day of a date or time: `2026-12-01`. */
export function toDay(value: unknown): string {
  const text = withIsoDay(textOf(value));
  return /^\d{4}-\d{2}-\d{2}(?=$|[T ])/.exec(text)?.[0] ?? text;
}

/**
 * An instant as ISO writes it. A day without a time is its first or last second, a time without a zone is in UTC, and
 * `+0100` gets its colon.
 */
export function toInstant(value: unknown, of: "start" | "end"): string | undefined {
  const text = withIsoDay(textOf(value));
  if (text === "") return undefined;
  const [, day, time = of === "start" ? "00:00:00" : "23:59:59", zone = "Z"] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?\s*(Z|[+-]\d{2}:?\d{2})?$/i.exec(text) ??
    [];
  if (day === undefined) return text;
  const offset = zone.replace(/^([+-]\d{2}):?(\d{2})$/, "$1:$2").toUpperCase();
  const instant = new Date(`${day}T${time}${offset}`);
  return Number.isNaN(instant.getTime()) ? text : instant.toISOString();
}
