/// <reference lib="dom" />
import { button, make, picture, show } from "./dom.ts";
import { availabilityOf, headOf, linkOf, priceOf, ratingOf } from "./parts.ts";
import { type Detail, type Offer, wordAvailability } from "./product.ts";

const THUMBNAILS_MAX = 6;
/** Letters of a description that are shown at first. */
const DESCRIPTION_SHOWN = 280;

export interface DetailActions {
  back: (() => void) | undefined;
  /** Called when the person chooses another variant. */
  chose: (offer: Offer) => void;
  say: (words: string) => void;
}

/** Shows one product, with its variants to choose from. */
export function detail(product: Detail, { back, chose, say }: DetailActions): HTMLElement {
  const { name, brand, category, description, facts, choices, images } = product;
  const shots = make("div", { class: "shots" });
  const offerPart = make("div", { class: "offer" });
  const sku = make("dd", {});
  let shown: Offer = product;

  function showOffer(offer: Offer): void {
    shown = offer;
    show(offerPart, priceOf(offer), availabilityOf(offer), linkOf(offer, name));
    sku.textContent = offer.sku;
    show(shots, ...gallery(offer === product || offer.image === "" ? images : [offer.image], name));
  }
  const chooser = choices.map(({ name: option, values }, index) =>
    make(
      "fieldset",
      {},
      make("legend", {}, option),
      ...values.map(({ value, availability }) => {
        const input = make("input", { type: "radio", name: `option-${index}`, value });
        input.checked = shown.options.some((each) => each.name === option && each.value === value);
        input.addEventListener("change", () => choose(option, value));
        const { words, mood } = wordAvailability({ availability, availableFrom: "" });
        const hidden = mood === "gone" ? make("span", { class: "hidden" }, ` (${words})`) : undefined;
        return make("label", { class: mood === "gone" ? "choice gone" : "choice" }, input, value, hidden);
      }),
    ),
  );

  /** Shows the variant that has the chosen value, and most of the other values that are chosen. */
  function choose(option: string, value: string): void {
    const has = (offer: Offer, of: string, wanted: string) =>
      offer.options.some((each) => each.name === of && each.value === wanted);
    const alike = (offer: Offer) => shown.options.filter((each) => has(offer, each.name, each.value)).length;
    const [best] = product.variants
      .filter((offer) => has(offer, option, value))
      .toSorted((a, b) => alike(b) - alike(a));
    if (best === undefined) return;
    showOffer(best);
    choices.forEach(({ name: each, values }, index) =>
      values.forEach((of, place) => {
        const input = chooser[index]?.querySelectorAll("input")[place];
        if (input !== undefined) input.checked = has(best, each, of.value);
      }),
    );
    say(`${best.price}, ${wordAvailability(best).words}`);
    chose(best);
  }

  showOffer(product);
  return make(
    "section",
    { class: "detail" },
    headOf(name, back),
    make(
      "div",
      { class: "sheet" },
      shots,
      make(
        "div",
        { class: "about" },
        make("p", { class: "brand" }, [brand, category].filter((part) => part !== "").join(" · ")),
        ratingOf(product),
        offerPart,
        ...chooser,
        product.isCut ? make("p", { class: "quiet" }, "There are more variants than these.") : undefined,
        ...describe(description),
      ),
    ),
    make(
      "details",
      {},
      make("summary", {}, "Details"),
      make(
        "dl",
        {},
        make("dt", {}, "SKU"),
        sku,
        ...facts.flatMap(([fact, value]) => [make("dt", {}, fact), make("dd", {}, value)]),
      ),
    ),
  );
}

/** The first picture, and small ones to choose another. */
function gallery(images: readonly string[], name: string): HTMLElement[] {
  const large = make("div", { class: "large" }, picture(images[0], name));
  if (images.length < 2) return [large];
  const small = images.slice(0, THUMBNAILS_MAX).map((image, index) =>
    button(
      picture(image, name),
      () => {
        show(large, picture(image, name));
        for (const each of small) each.setAttribute("aria-pressed", String(each === small[index]));
      },
      { "aria-label": `Picture ${index + 1}`, "aria-pressed": String(index === 0) },
    ),
  );
  return [large, make("div", { class: "small" }, ...small)];
}

function describe(description: string): HTMLElement[] {
  if (description === "") return [];
  const paragraph = make("p", { class: "description" }, description);
  if (description.length <= DESCRIPTION_SHOWN) return [paragraph];
  paragraph.textContent = `${description.slice(0, DESCRIPTION_SHOWN).trimEnd()}…`;
  const more = button(
    "Show more",
    () => {
      paragraph.textContent = description;
      more.remove();
    },
    { class: "plain" },
  );
  return [paragraph, more];
}
