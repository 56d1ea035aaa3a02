// Takes the place of `dom-serializer` in the bundle (wrangler.toml, "alias"). html-to-text writes HTML with it in the formats
// `inlineHtml` and `blockHtml`, which src/catalog/import/read/html-text.ts does not use.

/** Stands for the serializer. */
export function render(): never {
  throw new Error("This server writes no HTML from text.");
}

// domutils imports it by default.
export default (): never => render();
