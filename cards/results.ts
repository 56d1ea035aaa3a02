/// <reference lib="dom" />
import { button, make, picture, show } from "./dom.ts";
import { availabilityOf, headOf, linkOf, priceOf, ratingOf } from "./parts.ts";
import { type Product, optionWords } from "./product.ts";

const FIRST_SHOWN = 6;
export const COMPARED_MAX = 4;

export interface ResultActions {
  /** Undefined if the client calls no tools for the page. */
  open: ((product: Product) => unknown) | undefined;
  compare: (products: Product[]) => unknown;
  /** Fetches the next page; undefined if there is none, or no way to get it. */
  more: (() => unknown) | undefined;
  say: (words: string) => void;
}

/** Shows the products of a search, of which up to four can be chosen and compared. */
export function results(title: string, products: readonly Product[], actions: ResultActions): HTMLElement {
  const chosen = new Set<Product>();
  const boxes = new Map<Product, HTMLInputElement>();
  const compare = button("Compare", () => actions.compare([...chosen]), { class: "main" });
  const count = make("span", {});
  const bar = make("div", { class: "bar", hidden: "" }, count, button("Clear", clear), compare);

  function choose(product: Product, isChosen: boolean): void {
    if (isChosen) chosen.add(product);
    else chosen.delete(product);
    const isFull = chosen.size === COMPARED_MAX;
    for (const [each, box] of boxes) box.disabled = isFull && !chosen.has(each);
    bar.hidden = chosen.size === 0;
    compare.disabled = chosen.size < 2;
    const words = chosen.size === 1 ? "1 chosen: choose another" : `${chosen.size} of ${COMPARED_MAX} chosen`;
    count.textContent = words;
    actions.say(words);
  }
  function clear(): void {
    for (const box of boxes.values()) box.checked = false;
    for (const product of chosen) choose(product, false);
    boxes.values().next().value?.focus();
  }

  const cards = products.map((product) => {
    const box = make("input", { type: "checkbox" });
    box.addEventListener("change", () => choose(product, box.checked));
    boxes.set(product, box);
    const label = make("label", {}, box, "Compare", make("span", { class: "hidden" }, ` ${product.name}`));
    return make("li", {}, card(product, actions.open, products.length > 1 ? label : undefined));
  });
  const grid = make("ul", { class: "grid" }, ...cards.slice(0, FIRST_SHOWN));
  const rest = cards.slice(FIRST_SHOWN);
  const all = button(`Show all ${cards.length}`, () => {
    grid.append(...rest);
    rest[0]?.querySelector<HTMLElement>("button, a, input")?.focus();
    show(foot, more);
  });
  const more = actions.more && button("More products", actions.more);
  const foot = make("div", { class: "foot" }, rest.length > 0 ? all : more);
  return make("section", {}, headOf(title), grid, foot, bar);
}

function card(product: Product, open: ResultActions["open"], label: HTMLElement | undefined): HTMLElement {
  const { name, brand, group, options, image } = product;
  const title = open === undefined ? name : button(name, () => open(product), { class: "open" });
  const variants =
    group === undefined || group.variants < 2
      ? optionWords(options)
      : [`${group.variants} variants`, group.from === group.to ? "" : `${group.from} to ${group.to}`]
          .filter((part) => part !== "")
          .join(", ");
  return make(
    "article",
    {},
    picture(image, name),
    make(
      "div",
      { class: "about" },
      brand === "" ? undefined : make("p", { class: "brand" }, brand),
      make("h2", {}, title),
      ratingOf(product),
      variants === "" ? undefined : make("p", { class: "quiet" }, variants),
      priceOf(product),
      availabilityOf(product),
      make("div", { class: "acts" }, linkOf(product, name, "View in shop"), label),
    ),
  );
}
