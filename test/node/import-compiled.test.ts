import { readFileSync, readdirSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import * as z from "zod";
import { generateProducts } from "../../cli/sample/generate.ts";
import { productRecordSchema } from "../../src/catalog/import/record.ts";
import { safeParse } from "../../src/validation/safe-parse.ts";

// The command checks products with a compiled schema, a Worker with the schema itself.

const compiled = z.compile(productRecordSchema, { strict: true });
const FOLDER = new URL("import-files/", import.meta.url);
const expected = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".expected.jsonl"))
  .flatMap((name) => readFileSync(new URL(name, FOLDER), "utf8").trimEnd().split("\n"))
  .map((line) => z.looseObject({}).parse(JSON.parse(line)));
const products = [...expected, ...generateProducts(50, 1)];

const options = { error: () => undefined };
const read = (row: unknown) => ({
  compiled: safeParse(compiled, row, options),
  plain: safeParse(productRecordSchema, row, options),
});

it("reads products as the schema does", () => {
  expect(products.length).toBeGreaterThan(100);
  for (const product of products) {
    const answers = read(product);
    expect(answers.compiled).toEqual(answers.plain);
  }
});

it("reads products with any other value in a field as the schema does", () => {
  const fields = [...Object.keys(productRecordSchema.out.in.shape), "image_url", "__proto__"];
  const other = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(
      "",
      " 1 ",
      "https://a.example/ x",
      "2026-12-31",
      "2026-12-31T22:00:00+01:00",
      1e12,
      -1,
      0.5,
    ),
    fc.constant({ price_minor: 1, starts_at: "2027-01-01T00:00:00Z", ends_at: "2026-01-01T00:00:00Z" }),
    fc.constant([
      { warehouse: " a\u200b ", quantity: 1 },
      { warehouse: "a", quantity: 1 },
    ]),
  );
  fc.assert(
    fc.property(fc.constantFrom(...products), fc.constantFrom(...fields), other, (product, field, value) => {
      const answers = read({ ...product, [field]: value });
      expect(answers.compiled).toEqual(answers.plain);
    }),
    { numRuns: 2_000 },
  );
});
