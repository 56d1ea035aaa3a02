/// <reference lib="dom" />
import { button, make } from "./dom.ts";
import { openLink } from "./host.ts";
import { type Offer, type Product, wordAvailability } from "./product.ts";

// Parts that several views show.

export function priceOf({ price, listPrice, off }: Offer): HTMLElement {
  const now = make("span", { class: "price" }, price);
  if (listPrice === "") return make("p", { class: "prices" }, now);
  return make(
    "p",
    { class: "prices" },
    now,
    make("s", {}, make("span", { class: "hidden" }, "regular price "), listPrice),
    off > 0 ? make("span", { class: "off" }, `−${off}%`) : undefined,
  );
}

export function availabilityOf(offer: Pick<Offer, "availability" | "availableFrom">): HTMLElement {
  const { words, mood } = wordAvailability(offer);
  return make("p", { class: `stock ${mood}` }, words);
}

export function ratingOf({ rating }: Pick<Product, "rating">): HTMLElement | undefined {
  if (rating === undefined) return undefined;
  const value = rating.value.toFixed(1);
  return make(
    "p",
    { class: "rating" },
    make("span", { "aria-hidden": "true" }, `${value} `, make("small", {}, `(${rating.count})`)),
    make("span", { class: "hidden" }, `Rated ${value} of 5 by ${rating.count}`),
  );
}

/** A link to the product's page; undefined if it has none, or one that is not http or https. */
export function linkOf(
  { url }: Pick<Offer, "url">,
  name: string,
  label = url === undefined ? "" : `View at ${new URL(url).hostname.replace(/^www\./, "")}`,
): HTMLElement | undefined {
  if (url === undefined) return undefined;
  const link = make(
    "a",
    { href: url, target: "_blank", rel: "noopener noreferrer", class: "shop" },
    label,
    make("span", { class: "hidden" }, `: ${name}`),
  );
  link.addEventListener("click", (event) => {
    event.preventDefault();
    void openLink(url).catch(() => undefined);
  });
  return link;
}

/** A heading that takes the focus when its view appears, with a way back if there is one. */
export const headOf = (title: string, back?: () => void): HTMLElement =>
  make("header", {}, back && button("Back", back, { class: "back" }), make("h1", {}, title));

/** A problem, in the words of the server or the client. */
export const problem = (words: string): HTMLElement => make("p", { class: "problem", role: "alert" }, words);
