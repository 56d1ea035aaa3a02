import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { breaks } from "../../../lab/surface/compatibility.ts";
import { type Schema, gaps } from "../../../lab/surface/containment.ts";
import { inputSchemaOf, outputSchemaOf } from "../../../src/tools/json-schema.ts";
import { READ_ONLY } from "../../../src/tools/tool.ts";

const asSchema = (value: object): Schema => z.record(z.string(), z.unknown()).parse(value);
interface Given {
  input?: z.ZodObject;
  output?: z.ZodObject;
  annotations?: Record<string, boolean>;
}
const shape = ({
  input = z.strictObject({}),
  output = z.strictObject({}),
  annotations = READ_ONLY,
}: Given) => ({
  inputSchema: asSchema(inputSchemaOf(input)),
  outputSchema: asSchema(outputSchemaOf(output)),
  annotations,
});
const changed = (before: Given, now: Given): string[] => breaks(shape(before), shape(now));
const inputs = (before: z.ZodRawShape, now: z.ZodRawShape): [Given, Given] => [
  { input: z.strictObject(before) },
  { input: z.strictObject(now) },
];
const outputs = (before: z.ZodRawShape, now: z.ZodRawShape): [Given, Given] => [
  { output: z.strictObject(before) },
  { output: z.strictObject(now) },
];

const { string, int, number } = z;
const ab = z.enum(["a", "b"]);
const abc = z.enum(["a", "b", "c"]);

describe("additive:", () => {
  it.each<[string, [Given, Given]]>([
    ["nothing", inputs({ a: string() }, { a: string() })],
    ["a changed text", inputs({ a: string().describe("x") }, { a: string().describe("y") })],
    ["a new optional argument", inputs({}, { a: string().optional() })],
    ["a new argument with a default", inputs({}, { a: int().default(3) })],
    ["an argument that became optional", inputs({ a: string() }, { a: string().optional() })],
    ["an additional value of an argument", inputs({ a: ab }, { a: abc })],
    ["any string instead of one of a list", inputs({ a: ab }, { a: string() })],
    ["a higher maximum", inputs({ a: int().max(10) }, { a: int().max(20) })],
    ["no maximum", inputs({ a: int().max(10) }, { a: int() })],
    ["a lower minimum", inputs({ a: string().min(3) }, { a: string().min(1) })],
    ["numbers instead of whole numbers", inputs({ a: int() }, { a: number() })],
    ["a choice of two instead of one", inputs({ a: string() }, { a: z.union([string(), int()]) })],
    ["a longer list of arguments", inputs({ a: z.array(ab).max(5) }, { a: z.array(abc).max(50) })],
    ["a new field of an answer", outputs({}, { a: string() })],
    ["a field that became required", outputs({ a: string().optional() }, { a: string() })],
    ["fewer values of an answer", outputs({ a: abc }, { a: ab })],
    ["a lower maximum of an answer", outputs({ a: int().max(20) }, { a: int().max(10) })],
    [
      "a new field inside a list",
      outputs(
        { a: z.array(z.strictObject({ b: int() })) },
        { a: z.array(z.strictObject({ b: int(), c: int() })) },
      ),
    ],
    ["one choice fewer in an answer", outputs({ a: z.union([string(), int()]) }, { a: int() })],
    ["an additional promise", [{ annotations: { ...READ_ONLY, readOnlyHint: false } }, {}]],
  ])("%s", (_, [before, now]) => {
    expect(changed(before, now)).toEqual([]);
  });
});

describe("not additive:", () => {
  it.each<[string, [Given, Given], string]>([
    ["a removed argument", inputs({ a: string() }, {}), "input: a was removed"],
    ["a new required argument", inputs({}, { a: string() }), "input: a is now required"],
    [
      "an argument that became required",
      inputs({ a: string().optional() }, { a: string() }),
      "input: a is now required",
    ],
    ["a removed value", inputs({ a: abc }, { a: ab }), 'input: a: enum was ["a","b","c"], is now ["a","b"]'],
    ["a list instead of any string", inputs({ a: string() }, { a: ab }), "input: a: enum was anything"],
    [
      "a lower maximum",
      inputs({ a: int().max(20) }, { a: int().max(10) }),
      "input: a: maximum was 20, is now 10",
    ],
    ["a new maximum", inputs({ a: string() }, { a: string().max(9) }), "input: a: maxLength was anything"],
    ["a higher minimum", inputs({ a: string().min(1) }, { a: string().min(3) }), "input: a: minLength was 1"],
    ["a pattern", inputs({ a: string() }, { a: string().regex(/^x/) }), "input: a: pattern was anything"],
    [
      "a changed type",
      inputs({ a: string() }, { a: int() }),
      'input: a: type was "string", is now "integer"',
    ],
    [
      "whole numbers instead of numbers",
      inputs({ a: number() }, { a: int() }),
      'input: a: type was "number"',
    ],
    [
      "another default",
      inputs({ a: int().default(10) }, { a: int().default(5) }),
      "input: a: the default was 10, is now 5",
    ],
    ["no default", inputs({ a: int().default(10) }, { a: int().optional() }), "input: a: the default was 10"],
    ["one choice fewer", inputs({ a: z.union([string(), int()]) }, { a: string() }), "input: a: type"],
    [
      "fewer items",
      inputs({ a: z.array(ab).max(50) }, { a: z.array(ab).max(5) }),
      "input: a: maxItems was 50",
    ],
    ["one item fewer", inputs({ a: z.array(abc) }, { a: z.array(ab) }), "input: a[]: enum"],
    ["a removed field", outputs({ a: string() }, {}), "output: a was removed"],
    ["a removed optional field", outputs({ a: string().optional() }, {}), "output: a was removed"],
    [
      "a field that became optional",
      outputs({ a: string() }, { a: string().optional() }),
      "output: a is now optional",
    ],
    ["an additional value in an answer", outputs({ a: ab }, { a: abc }), 'output: a: enum was ["a","b"]'],
    ["any string in an answer", outputs({ a: ab }, { a: string() }), "output: a: enum"],
    [
      "null in an answer",
      outputs({ a: string() }, { a: string().nullable() }),
      'output: a: type was "string", is now "null"',
    ],
    [
      "a removed field inside a list",
      outputs({ a: z.array(z.strictObject({ b: int() })) }, { a: z.array(z.strictObject({})) }),
      "output: a[].b was removed",
    ],
    [
      "a write that was a read",
      [{}, { annotations: { ...READ_ONLY, readOnlyHint: false } }],
      "annotations: readOnlyHint",
    ],
    [
      "a destructive write",
      [{}, { annotations: { ...READ_ONLY, destructiveHint: true } }],
      "annotations: destructiveHint",
    ],
  ])("%s", (_, [before, now], reason) => {
    expect(changed(before, now)).toContainEqual(expect.stringContaining(reason));
  });
});

const NAMES = ["a", "b", "c"];
const leaf: fc.Arbitrary<Schema> = fc.oneof(
  fc.record({
    type: fc.constant("integer"),
    minimum: fc.nat({ max: 3 }),
    maximum: fc.integer({ min: 3, max: 6 }),
  }),
  fc.record(
    { type: fc.constant("number"), maximum: fc.integer({ min: 3, max: 6 }) },
    { requiredKeys: ["type"] },
  ),
  fc.record({ type: fc.constant("string"), maxLength: fc.nat({ max: 3 }) }, { requiredKeys: ["type"] }),
  fc.record({ type: fc.constant("string"), enum: fc.subarray(["", "a", "ab", "abc"], { minLength: 1 }) }),
  fc.constant({ type: "boolean" }),
  fc.constant({ type: "null" }),
);
const { schema } = fc.letrec<{ schema: Schema; object: Schema; list: Schema; choice: Schema }>((tie) => ({
  schema: fc.oneof({ depthSize: "small" }, leaf, tie("object"), tie("list"), tie("choice")),
  object: fc
    .tuple(
      fc.dictionary(fc.constantFrom(...NAMES), tie("schema"), { maxKeys: 3 }),
      fc.subarray(NAMES),
      fc.boolean(),
    )
    .map(([properties, required, isClosed]) => ({
      type: "object",
      properties,
      required: required.filter((name) => Object.hasOwn(properties, name)),
      ...(isClosed && { additionalProperties: false }),
    })),
  list: tie("schema").map((items) => ({ type: "array", items, maxItems: 2 })),
  choice: fc.array(tie("schema"), { minLength: 2, maxLength: 3 }).map((anyOf) => ({ anyOf })),
}));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.integer({ min: -1, max: 7 }),
    fc.constantFrom("", "a", "ab", "abc", "abcd", true, null, 2.5),
    fc.dictionary(fc.constantFrom(...NAMES), tie("value"), { maxKeys: 3 }),
    fc.array(tie("value"), { maxLength: 3 }),
  ),
}));

describe("one schema contains another", () => {
  it("only if every value that fits the one fits the other", () => {
    fc.assert(
      fc.property(
        schema,
        schema,
        fc.array(value, { minLength: 20, maxLength: 20 }),
        (inner, outer, values) => {
          if (gaps(inner, outer).length > 0) return;
          const [one, other] = [z.fromJSONSchema(inner), z.fromJSONSchema(outer)];
          const fitsOne = values.filter((each) => one.safeParse(each).success);
          expect(fitsOne.filter((each) => !other.safeParse(each).success)).toEqual([]);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("if it is equal, or offers more alternatives", () => {
    fc.assert(
      fc.property(schema, schema, (one, other) => {
        expect(gaps(one, one)).toEqual([]);
        expect(gaps(one, { anyOf: [other, one] })).toEqual([]);
      }),
    );
  });
});

/** Arguments of a tool: closed objects, like the product's. */
const args = fc
  .tuple(fc.dictionary(fc.constantFrom(...NAMES), leaf, { minKeys: 1 }), fc.subarray(NAMES))
  .map(([properties, required]) => ({
    type: "object",
    properties,
    required: required.filter((name) => Object.hasOwn(properties, name)),
    additionalProperties: false,
  }));
const plain = {
  inputSchema: { type: "object", properties: {} },
  outputSchema: { type: "object", properties: {} },
  annotations: {},
};

it("a new optional argument and a new field of the answer are additive to any tool", () => {
  fc.assert(
    fc.property(args, leaf, (given, added) => {
      const grown = { ...given, properties: { ...given.properties, added } };
      const open = { type: "object", properties: given.properties, required: given.required };
      const answer = { ...open, properties: grown.properties, required: [...given.required, "added"] };
      expect(breaks({ ...plain, inputSchema: given }, { ...plain, inputSchema: grown })).toEqual([]);
      expect(breaks({ ...plain, outputSchema: open }, { ...plain, outputSchema: answer })).toEqual([]);
    }),
  );
});

it("removing any argument or field, or requiring a new one, breaks any tool", () => {
  fc.assert(
    fc.property(args, leaf, fc.nat(), (given, added, pick) => {
      const names = Object.keys(given.properties);
      const gone = names[pick % names.length] ?? "";
      const { [gone]: _gone, ...properties } = given.properties;
      const less = { ...given, properties, required: given.required.filter((name) => name !== gone) };
      const more = {
        ...given,
        properties: { ...given.properties, added },
        required: [...given.required, "added"],
      };
      const open = ({ additionalProperties: _closed, ...rest }: Schema): Schema => rest;
      const reasons = [
        breaks({ ...plain, inputSchema: given }, { ...plain, inputSchema: less }),
        breaks({ ...plain, inputSchema: given }, { ...plain, inputSchema: more }),
        breaks({ ...plain, outputSchema: open(given) }, { ...plain, outputSchema: open(less) }),
      ];
      expect(reasons.map((each) => each.length > 0)).toEqual([true, true, true]);
    }),
  );
});
