/// <reference lib="dom" />
import { make, picture } from "./dom.ts";
import { availabilityOf, headOf, linkOf, priceOf, ratingOf } from "./parts.ts";
import { type Detail, type Product, optionWords } from "./product.ts";

const FACTS_MAX = 12;

/** A product, with what get_product knows of it if that could be read. */
export type Compared = Product & Partial<Pick<Detail, "facts" | "choices">>;

/** Shows products side by side. Rows in which they differ are marked. */
export function compare(products: readonly Compared[], back: () => void): HTMLElement {
  const names = new Set(products.flatMap(({ facts = [] }) => facts.map(([name]) => name)));
  const textRows = [
    ["Brand", (each: Compared) => each.brand],
    ["Category", (each: Compared) => each.category],
    ["Choices", choicesOf],
    ...[...names]
      .filter((name) => name !== "GTIN")
      .slice(0, FACTS_MAX)
      .map((name) => [name, (each: Compared) => factOf(each, name)] as const),
  ] as const;
  return make(
    "section",
    {},
    headOf(`Comparing ${products.length} products`, back),
    make(
      "div",
      { class: "scroll", role: "region", "aria-label": "Comparison", tabindex: "0" },
      make(
        "table",
        { class: "compare" },
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            make("td", {}),
            ...products.map((each) =>
              make("th", { scope: "col" }, picture(each.image, each.name), make("span", {}, each.name)),
            ),
          ),
        ),
        make(
          "tbody",
          {},
          row("Price", products.map(priceOf)),
          row("Stock", products.map(availabilityOf)),
          row("Rating", products.map(ratingOf)),
          ...textRows.flatMap(([name, of]) => textRow(name, products.map(of))),
          row(
            "Shop",
            products.map((each) => linkOf(each, each.name, "View in shop")),
          ),
        ),
      ),
    ),
  );
}

function row(name: string, cells: readonly (Node | string | undefined)[], isMarked = false): HTMLElement {
  const shown = cells.map((cell) => make("td", {}, cell ?? "–"));
  return make("tr", isMarked ? { class: "differs" } : {}, make("th", { scope: "row" }, name), ...shown);
}

/** A row of texts; none if no product has one. */
function textRow(name: string, values: readonly string[]): HTMLElement[] {
  if (values.every((value) => value === "")) return [];
  return [
    row(
      name,
      values.map((value) => value || "–"),
      new Set(values).size > 1,
    ),
  ];
}

const factOf = ({ facts = [] }: Compared, name: string): string =>
  facts.find(([each]) => each === name)?.[1] ?? "";

function choicesOf({ choices = [], options, group }: Compared): string {
  if (choices.length > 0)
    return choices
      .map(({ name, values }) => `${name}: ${values.map(({ value }) => value).join(", ")}`)
      .join("; ");
  return group === undefined ? optionWords(options) : `${group.variants} variants`;
}
