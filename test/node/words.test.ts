import { expect, it } from "vitest";
import { generateProducts } from "../../cli/sample/generate.ts";
import { codes, lastLetters, words } from "../../src/catalog/search/words.ts";

const texts = [
  ...[...generateProducts(200, 1)].flatMap(({ name, description, model, sku }) => [
    name,
    `${description} ${model}`,
    sku,
  ]),
  "1,299.50 and 19,99 and 3 1/2 inch, 7/8\" x 5' 2'' lamp's",
  "C++ C# S10+ a+++ v1.2.3 2.4ghz 10-inch 18 V 5.5kg without lid",
  "shelves buses glasses boxes ponies ties news .5 5. 1.a a.1b2 a..b",
  "line one\nline\ttwo\r\n three  ",
  "",
];

it("reads ASCII, which takes a shorter way, as it reads the same words in other text", () => {
  for (const text of texts) {
    expect(words(`${text} \u00e9`)).toEqual([...words(text), "e"]);
    expect(codes(`${text} \u00e9`)).toEqual(codes(text));
    expect(lastLetters(text)).toEqual([]);
  }
});
