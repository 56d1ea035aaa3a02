import { expect, it } from "vitest";
import * as z from "zod";
import { generateProducts } from "../../../cli/sample/generate.ts";
import { bearer, post } from "../identity/support/deployed.ts";
import { keyOf } from "../identity/support/people.ts";
import { fill } from "../support/catalog.ts";
import { modern } from "../support/modern.ts";

const answerSchema = z.object({
  result: z.object({ completion: z.object({ values: z.array(z.string()) }) }).optional(),
  error: z.object({ data: z.object({ code: z.string() }) }).optional(),
});

it("completing one number after another cannot list the catalog", async () => {
  const products = [...generateProducts(600, 1)];
  await fill(products);
  const as = bearer(await keyOf(["shopper"]));
  const seen = new Set<string>();
  const refusals: string[] = [];
  const beginnings = new Set(products.map(({ sku }) => sku.slice(0, -1)));
  // Fewer than the calls of a minute, so the rule stops them and not the rate limit.
  expect(beginnings.size).toBeLessThan(100);
  for (const beginning of beginnings) {
    const { body, headers } = modern("completion/complete", {
      ref: { type: "ref/resource", uri: "catalog://products/{sku}" },
      argument: { name: "sku", value: beginning },
    });
    const response = await post(body, { ...headers, ...as });
    const { result, error } = answerSchema.parse(await response.json());
    for (const value of result?.completion.values ?? []) seen.add(value);
    if (error !== undefined) refusals.push(error.data.code);
  }
  expect(refusals.length).toBeGreaterThan(0);
  expect(new Set(refusals)).toEqual(new Set(["rate_limited"]));
  // The rule's minimum, and the most that one completion may show.
  expect(seen.size).toBeLessThanOrEqual(199 + 20);
});
