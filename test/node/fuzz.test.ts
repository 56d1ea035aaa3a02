import { describe, expect, it } from "vitest";
import { chance } from "../../cli/sample/chance.ts";
import { problemsOf } from "../../lab/fuzz/judge.ts";
import { mutate } from "../../lab/fuzz/mutate.ts";
import { validRequests } from "../../lab/fuzz/valid.ts";
import type { Answered } from "../../lab/support/requests.ts";

describe("lab fuzz", () => {
  const named = new Headers({ "x-request-id": "1" });
  const answer = (changes: Partial<Answered>): Answered => ({
    status: 200,
    headers: named,
    body: "{}",
    ms: 5,
    ...changes,
  });

  it.each<[string, Partial<Answered>]>([
    ["a 5xx without a name", { status: 500, headers: new Headers(), body: '{"code":"internal_error"}' }],
    ["a 5xx without a code", { status: 500, body: "Internal Server Error" }],
    ["a stack", { body: '{"message":"x\n    at handle (index.js:1:2)"}' }],
    ["an error of the database", { body: "D1_ERROR: no such table" }],
    ["an internal field", { body: '{"supplier_id":"x"}' }],
    ["a late answer", { ms: 1_001 }],
  ])("finds %s", (_, changes) => {
    expect(problemsOf(answer(changes), 1_000)).toHaveLength(1);
  });

  it("accepts a refusal with its code and name", () => {
    expect(problemsOf(answer({ status: 503, body: '{"code":"unavailable"}' }), 1_000)).toEqual([]);
  });

  it("sends the same requests for the same seed, and others for another", () => {
    const tool = {
      tool: "get_product",
      version: 1,
      title: "t",
      description: "d",
      examples: [{ sku: "SKU-1" }],
      shapes: [],
    };
    const valid = validRequests({
      tools: { get_product: tool, "ucp:get_product": { ...tool, tool: "ucp:get_product" } },
    });
    const requests = (seed: number) =>
      Array.from({ length: 300 }, (_, index) => {
        const random = chance(seed + index);
        return mutate(valid(random), random);
      });
    expect(requests(1)).toEqual(requests(1));
    expect(requests(1)).not.toEqual(requests(2_000));
    expect(new Set(requests(1).map(({ path }) => path.split(/[?/;]/)[1])).size).toBeGreaterThan(8);
  });
});
