import { describe, expect, it } from "vitest";
import * as z from "zod";
import { rulesSchema } from "../../../src/detection/rules.ts";

const RULE = {
  id: "people",
  kind: "subjects",
  version: 1,
  mode: "enforce",
  verdict: "confirm",
  limits: [{ window: "10m", max: 3 }],
};
const problemsOf = (...rules: unknown[]) =>
  rulesSchema.safeParse(rules).error?.issues.map(({ message }) => message) ?? [];

/** Returns the paths of properties that lack a description for an editor of the policy. */
function undescribed(schema: unknown, path = ""): string[] {
  const node = z.looseObject({ description: z.string().optional() }).safeParse(schema);
  if (!node.success) return [];
  const { properties, items, anyOf, oneOf, description } = node.data;
  const named = z.record(z.string(), z.unknown()).catch({}).parse(properties);
  const choices = z
    .array(z.unknown())
    .catch([])
    .parse(anyOf ?? oneOf);
  const own = path !== "" && description === undefined && choices.length === 0 ? [path] : [];
  return [
    ...own,
    ...Object.entries(named)
      .filter(([name]) => name !== "kind")
      .flatMap(([name, each]) => undescribed(each, `${path}.${name}`)),
    ...choices.flatMap((each) => undescribed(each, path)),
    ...(named["limits"] === undefined && properties === undefined ? undescribed(items, "") : []),
  ];
}

describe("the rules' schema", () => {
  it("is a JSON Schema for editors, and describes every field", () => {
    const schema = z.toJSONSchema(rulesSchema, { io: "input" });
    expect(JSON.stringify(schema)).toContain('"additionalProperties":false');
    expect(undescribed(schema)).toEqual([]);
  });

  it.each([
    ["1m", 60_000],
    ["90m", 5_400_000],
    ["24h", 86_400_000],
    ["30d", 2_592_000_000],
  ])("reads %s", (window, ms) => {
    const [rule] = rulesSchema.parse([{ ...RULE, limits: [{ window, max: 1 }] }]);
    expect(rule).toMatchObject({ limits: [{ window: ms, max: 1 }] });
  });

  it.each([
    ["a duplicate id", [RULE, RULE], "Two rules have the same id"],
    ["an unknown kind", [{ ...RULE, kind: "magic" }], "Invalid discriminator value"],
    ["an unknown field", [{ ...RULE, maximum: 3 }], 'Unrecognized key: "maximum"'],
    [
      "a window without a unit",
      [{ ...RULE, limits: [{ window: "10", max: 3 }] }],
      "Give a number and m, h or d",
    ],
    ["a window of 0", [{ ...RULE, limits: [{ window: "0m", max: 3 }] }], "Give a number and m, h or d"],
    ["a window of 31 days", [{ ...RULE, limits: [{ window: "721h", max: 3 }] }], "A window is 30d at most"],
    ["no limit", [{ ...RULE, limits: [] }], "Too small"],
    [
      "profiles over two days",
      [{ ...RULE, kind: "profile", classes: ["orders"], limits: [{ window: "2d", max: 3 }] }],
      "looks back 24h at most",
    ],
    ["the catalog as personal data", [{ ...RULE, classes: ["catalog"] }], "Invalid option"],
  ])("refuses %s", (_name, rules, said) => {
    expect(problemsOf(...rules).join("\n")).toContain(said);
  });
});
