import { type HtmlToTextOptions, compile } from "html-to-text";

const HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"];
const options: HtmlToTextOptions = {
  wordwrap: false,
  selectors: [
    // A link's address would stand in the middle of a sentence, and a product has a field for its own.
    { selector: "a", options: { ignoreHref: true } },
    { selector: "img", format: "skip" },
    { selector: "table", format: "dataTable", options: { uppercaseHeaderCells: false } },
    ...HEADINGS.map((selector) => ({ selector, options: { uppercase: false } })),
  ],
};
const ofMarkup = compile(options);
const ofText = compile({ ...options, preserveNewlines: true });

const TAG = /<\/?[a-z][^<>]*>|<!--/i;
const ENTITY = /&(?:[a-z][a-z\d]{1,30}|#\d{1,7}|#x[\da-f]{1,6});/i;

let last = { html: "", text: "" };

/**
 * Returns plain text for HTML or text with entities: one line for each line a browser would show. Text that holds
 * neither is returned as it is. Variants of a product share one description, so the last result is kept.
 */
export function htmlToText(html: string): string {
  const isMarkup = TAG.test(html);
  if (!isMarkup && !ENTITY.test(html)) return html;
  if (last.html !== html) {
    const text = (isMarkup ? ofMarkup : ofText)(html)
      .replaceAll(/[^\S\n]+/g, " ")
      .replaceAll(/ ?\n ?/g, "\n")
      .replaceAll(/\n{3,}/g, "\n\n")
      .trim();
    last = { html, text };
  }
  return last.text;
}
