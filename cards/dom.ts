/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { webUrl } from "./read.ts";

// Builds elements. Texts become text nodes, so a text of a third party can never become markup; nothing here or elsewhere on
// the page parses HTML.

type Child = Node | string | undefined;

/** Makes an element. `attributes` are set as they are; a child that is a string becomes a text node. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** Makes a button that runs `act`. */
export function button(label: Child, act: () => unknown, attributes: Record<string, string> = {}) {
  const element = make("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", () => void act());
  return element;
}

/**
 * Makes a picture on a tile. Without an address, or if the client's Content-Security-Policy refuses it, the tile shows the
 * first letter of `name`. The name stands beside it, so the picture has no text of its own.
 */
export function picture(address: unknown, name: string): HTMLElement {
  const letter = make(
    "span",
    { class: "letter", "aria-hidden": "true" },
    Array.from(name)[0]?.toUpperCase() ?? "",
  );
  const tile = make("div", { class: "picture" }, letter);
  tile.style.setProperty("--hue", String(hueOf(name)));
  const src = webUrl(address);
  if (src === undefined) return tile;
  const image = make("img", { alt: "", referrerpolicy: "no-referrer", decoding: "async" });
  image.addEventListener("load", () => {
    letter.remove();
    tile.classList.add("loaded");
  });
  image.addEventListener("error", () => image.remove());
  image.src = src;
  tile.append(image);
  return tile;
}

/** Returns a hue of 0 to 359 that a name always has. */
const hueOf = (name: string): number =>
  Array.from(name).reduce((hue, letter) => (hue * 31 + (letter.codePointAt(0) ?? 0)) % 360, 7);

/** Shows other content in an element. */
export const show = (element: Element, ...children: Child[]): void =>
  element.replaceChildren(...children.filter((child) => child !== undefined));

/** Moves the keyboard and the screen reader to an element. */
export function focusOn(element: HTMLElement): void {
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
}
