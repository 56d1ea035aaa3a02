import type { Variant } from "../catalog/product.ts";
import { isAvailable } from "./product.ts";

// Narrows the variants of a product by the options that a shopper has chosen so far.

/** Labels by the names of their options. */
type Options = ReadonlyMap<string, string>;
type Offered = Pick<Variant, "options" | "availability">;

export const optionsOf = ({ options }: Pick<Variant, "options">): Options =>
  new Map(options.map(({ name, value }) => [name, value]));

const matches = (variant: Offered, options: Options): boolean => {
  const own = optionsOf(variant);
  return [...options].every(([name, label]) => own.get(name) === label);
};

/**
 * Returns the variants with all of the options. If there are none, options are given up until there are: those that
 * `preferences` does not name first, then the last of its list.
 */
export function narrow<T extends Offered>(
  variants: readonly T[],
  options: Options,
  preferences: readonly string[],
): { variants: T[]; selected: Options } {
  const rank = (name: string) => (preferences.includes(name) ? preferences.indexOf(name) : Infinity);
  const kept = [...options].toSorted(([a], [b]) => (rank(a) < rank(b) ? -1 : 0));
  while (kept.length > 0 && !variants.some((variant) => matches(variant, new Map(kept)))) kept.pop();
  const selected = new Map(kept);
  return { variants: variants.filter((variant) => matches(variant, selected)), selected };
}

/** Returns every option with its labels, and whether a variant with it and the other chosen options exists and is available. */
export function choicesFor(variants: readonly Offered[], selected: Options) {
  const labels = new Map<string, Set<string>>();
  for (const { options } of variants)
    for (const { name, value } of options) labels.set(name, (labels.get(name) ?? new Set()).add(value));
  return Array.from(labels, ([name, of]) => ({
    name,
    values: Array.from(of, (label) => {
      const such = variants.filter((variant) => matches(variant, new Map([...selected, [name, label]])));
      return {
        label,
        exists: such.length > 0,
        available: such.some(({ availability }) => isAvailable(availability)),
      };
    }),
  }));
}
