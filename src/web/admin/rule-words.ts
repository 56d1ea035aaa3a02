import type { DataClass } from "../../detection/labels.ts";
import type { Rule } from "../../detection/rules.ts";
import { COUNTED } from "../../detection/size.ts";
import { duration, list, number, plural } from "./units.ts";

// Flow rules in words, for people who have not read docs/detection.md.

const CLASS_NAMES: Record<DataClass, string> = {
  identity: "identity",
  contact: "contact details",
  orders: "orders",
  payment: "payment data",
  catalog: "products",
};
export const classWords = (classes: readonly DataClass[]): string =>
  list(classes.map((each) => CLASS_NAMES[each]));

type Noun = readonly [one: string, many: string];
const PEOPLE: Noun = ["person", "people"];
/** Nouns for the things that each kind of rule counts. */
const COUNTED_NOUNS: Record<Exclude<Rule["kind"], "budget" | "size">, Noun> = {
  subjects: PEOPLE,
  profile: PEOPLE,
  sequence: PEOPLE,
  products: ["product", "products"],
  adjacency: ["adjacent id", "adjacent ids"],
  misses: ["lookup of a missing record", "lookups of missing records"],
  canary: ["planted record", "planted records"],
  taint: ["text like an instruction", "texts like instructions"],
  flooding: PEOPLE,
};
const SIZE_NOUNS: Record<(typeof COUNTED)[number], Noun> = {
  units: ["unit added or removed", "units added or removed"],
  removed: ["unit removed", "units removed"],
  skus: ["product changed", "products changed"],
  emptied: ["product emptied", "products emptied"],
  others: ["released reservation of others", "released reservations of others"],
};

/** A count with the noun of its rule: `8 people`. */
export function countWords(count: number, rule: Rule | undefined): string {
  if (rule === undefined) return number(count);
  if (rule.kind === "budget") return plural(count, rule.of === "bytes" ? "byte" : "record");
  // The limits of one rule count different things.
  if (rule.kind === "size") return number(count);
  return plural(count, ...COUNTED_NOUNS[rule.kind]);
}

/** The steps of a sequence rule: `from identity to contact details`. */
export function stepWords({ steps }: Extract<Rule, { kind: "sequence" }>): string {
  const words = steps.map(({ classes, tools, kinds }) =>
    classes === undefined ? list([...(tools ?? []), ...(kinds ?? [])]) : classWords(classes),
  );
  return `from ${words.join(" to ")}`;
}

/** A rule's limits: `7 in 10 minutes; 20 in 24 hours`. */
export function ruleWords(rule: Rule): string {
  switch (rule.kind) {
    case "canary":
      return "none";
    case "taint":
      return `no writes for ${duration(rule.window)} after such a text`;
    case "products":
      return rule.limits
        .map(
          ({ share, least, window }) =>
            `${number(share * 100)} % of the catalog, at least ${number(least)}, in ${duration(window)}`,
        )
        .join("; ");
    case "misses":
      return rule.limits
        .map(
          ({ max, share, window }) =>
            `${number(max)}${share === undefined ? "" : `, if they are ${number(share * 100)} % of such calls,`} in ${duration(window)}`,
        )
        .join("; ");
    case "size":
      return rule.limits
        .map(({ window, share, of_stock, of_catalog, ...max }) => {
          const sums = COUNTED.flatMap((part) =>
            max[part] === undefined ? [] : [plural(max[part], ...SIZE_NOUNS[part])],
          );
          const parts = Object.entries({
            "the products if that is more": of_catalog,
            "all stock": of_stock,
            "the named stock": share,
          }).flatMap(([of, part]) => (part === undefined ? [] : [`${number(part * 100)} % of ${of}`]));
          return `${list([...sums, ...parts])} in ${window === undefined ? "one call" : duration(window)}`;
        })
        .join("; ");
    case "subjects":
    case "profile":
    case "sequence":
    case "budget":
    case "adjacency":
    case "flooding":
      return rule.limits.map(({ max, window }) => `${number(max)} in ${duration(window)}`).join("; ");
    default: {
      const none: never = rule;
      return none;
    }
  }
}
