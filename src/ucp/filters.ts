import { pathsOf } from "../catalog/category-path.ts";
import { minorPerMajor } from "../catalog/money.ts";
import type { Catalog } from "../catalog/repository.ts";
import type { Asked } from "./arguments.ts";
import type { UcpMessage } from "./protocol.ts";

interface Filter {
  /** Names as the catalog spells them; undefined for every category. */
  categories: string[] | undefined;
  /** In minor units of the catalog's currency. */
  min: number | undefined;
  max: number | undefined;
  minorUnits: number;
  messages: UcpMessage[];
}

/** Reads the filters of a call. A price in another currency than the catalog's is not converted: the filter is left out. */
export async function readFilter(
  catalog: Catalog,
  { categories, price_min, price_max, currency }: Omit<Asked, "profile">,
): Promise<Filter> {
  const names = await Promise.all((categories ?? []).map((name) => catalog.categoryName(name)));
  const known = names.filter((name) => name !== undefined);
  const own =
    price_min === undefined && price_max === undefined ? undefined : ((await catalog.currency()) ?? currency);
  const isOwn = currency === undefined || currency.toUpperCase() === own;
  return {
    categories: categories === undefined || categories.length === 0 ? undefined : known,
    min: isOwn ? price_min : undefined,
    max: isOwn ? price_max : undefined,
    minorUnits: minorPerMajor(own ?? ""),
    messages:
      own === undefined || isOwn
        ? []
        : [
            {
              type: "warning",
              code: "price_filter_ignored",
              content: `Prices are in ${own}, so the price filter was not applied.`,
            },
          ],
  };
}

/** Returns whether something with this price passes the filter. */
export const hasPrice = ({ min = 0, max = Infinity }: Filter, price: { amount_minor: number }): boolean =>
  price.amount_minor >= min && price.amount_minor <= max;

export const hasCategory = ({ categories }: Filter, category: string): boolean =>
  categories === undefined || pathsOf(category).some((path) => categories.includes(path));
