import { isDeepStrictEqual } from "node:util";
import * as z from "zod";

// Decides whether every value of one JSON Schema fits another, for the keywords that zod writes. Pure and
// conservative: an undecidable case counts as not contained.

export type Schema = Record<string, unknown>;

/**
 * A keyword by which a value may fit `inner` but not `outer`; or `unnamed`, a property that `outer` does not
 * accept, or `dropped`, a property that `inner` does not name and so leaves unrestricted.
 */
export interface Gap {
  /** A path such as `items[].sku`; empty at the root. */
  at: string;
  keyword: string;
  inner: unknown;
  outer: unknown;
}

const TEXTS = ["title", "description", "$comment", "examples", "default"];
const LOWER = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
const UPPER = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
const STRUCTURE = [
  "type",
  "enum",
  "const",
  "anyOf",
  "properties",
  "required",
  "additionalProperties",
  "items",
];
/** Keywords that are compared one by one; any other keyword must be equal on both sides. */
const COMPARED = new Set([...TEXTS, ...LOWER, ...UPPER, ...STRUCTURE]);

/** Returns the places where a value may fit `inner` but not `outer`; empty if every value fits both. */
export function gaps(inner: Schema, outer: Schema, at = ""): Gap[] {
  if (isDeepStrictEqual(inner, outer)) return [];
  const innerChoices = choicesOf(inner);
  if (innerChoices !== undefined) return innerChoices.flatMap((choice) => gaps(choice, outer, at));
  const outerChoices = choicesOf(outer);
  if (outerChoices === undefined) return gapsOfOne(inner, outer, at);
  const attempts = outerChoices.map((choice) => gaps(inner, choice, at));
  return attempts.toSorted((a, b) => a.length - b.length)[0] ?? [{ at, keyword: "anyOf", inner, outer }];
}

/** Compares two schemas without alternatives. */
function gapsOfOne(inner: Schema, outer: Schema, at: string): Gap[] {
  const values = valuesOf(inner);
  const keywords =
    values === undefined
      ? [...ofType(inner, outer), ...ofBounds(inner, outer)]
      : values.every((value) => holds(outer, value))
        ? []
        : ["enum"];
  const others = Object.keys(outer).filter(
    (keyword) => !COMPARED.has(keyword) && !isDeepStrictEqual(inner[keyword], outer[keyword]),
  );
  return [
    ...[...keywords, ...others].map((keyword) => ({
      at,
      keyword,
      inner: inner[keyword],
      outer: outer[keyword],
    })),
    ...ofProperties(inner, outer, at),
    ...ofItems(inner, outer, at),
  ];
}

/** Returns the alternatives of a schema, each with the keywords beside them; undefined if it has none. */
function choicesOf({ anyOf, type, ...beside }: Schema): Schema[] | undefined {
  const withType = type === undefined ? beside : { ...beside, type };
  if (Array.isArray(type))
    return type.map((each: unknown) => ({ ...beside, ...(anyOf !== undefined && { anyOf }), type: each }));
  return Array.isArray(anyOf) ? anyOf.map((each) => ({ ...withType, ...schemaOf(each) })) : undefined;
}

function ofType(inner: Schema, outer: Schema): string[] {
  const isListed = valuesOf(outer) !== undefined;
  const isType =
    outer["type"] === undefined ||
    inner["type"] === outer["type"] ||
    (inner["type"] === "integer" && outer["type"] === "number");
  return [
    ...(isType ? [] : ["type"]),
    ...(isListed ? [outer["const"] === undefined ? "enum" : "const"] : []),
  ];
}

const ofBounds = (inner: Schema, outer: Schema): string[] => [
  ...LOWER.filter(
    (keyword) => outer[keyword] !== undefined && !(number(inner[keyword]) >= number(outer[keyword])),
  ),
  ...UPPER.filter(
    (keyword) => outer[keyword] !== undefined && !(number(inner[keyword]) <= number(outer[keyword])),
  ),
];

function ofProperties(inner: Schema, outer: Schema, at: string): Gap[] {
  if (inner["type"] !== "object" || outer["type"] !== "object") return [];
  const own = schemasOf(inner["properties"]);
  const theirs = schemasOf(outer["properties"]);
  const place = (name: string) => (at === "" ? name : `${at}.${name}`);
  const names = [...new Set([...Object.keys(own), ...Object.keys(theirs)])];
  const named = names.flatMap((name): Gap[] => {
    const mine = own[name] ?? restOf(inner);
    const other = theirs[name] ?? restOf(outer);
    if (mine === undefined) return [];
    if (other === undefined) return [{ at: place(name), keyword: "unnamed", inner: mine, outer: undefined }];
    const found = gaps(mine, other, place(name));
    return found.length > 0 && own[name] === undefined
      ? [{ at: place(name), keyword: "dropped", inner: undefined, outer: other }]
      : found;
  });
  const missing = namesOf(outer["required"]).filter(
    (name) =>
      !namesOf(inner["required"]).includes(name) &&
      !named.some((gap) => gap.at === place(name) && gap.keyword === "dropped"),
  );
  return [
    ...missing.map((name) => ({ at: place(name), keyword: "required", inner: false, outer: true })),
    ...named,
    ...ofRest(restOf(inner), restOf(outer), at),
  ];
}

/** Compares the properties that neither side names. */
function ofRest(inner: Schema | undefined, outer: Schema | undefined, at: string): Gap[] {
  if (inner === undefined) return [];
  return outer === undefined
    ? [{ at, keyword: "additionalProperties", inner, outer: false }]
    : gaps(inner, outer, at === "" ? "*" : `${at}.*`);
}

function ofItems(inner: Schema, outer: Schema, at: string): Gap[] {
  if (inner["type"] !== "array" || outer["items"] === undefined) return [];
  return gaps(schemaOf(inner["items"]), schemaOf(outer["items"]), `${at}[]`);
}

/** Returns the schema of properties that are not named; undefined if none are allowed. */
function restOf({ additionalProperties = {} }: Schema): Schema | undefined {
  if (additionalProperties === false) return undefined;
  return additionalProperties === true ? {} : schemaOf(additionalProperties);
}

function valuesOf(schema: Schema): unknown[] | undefined {
  if (Object.hasOwn(schema, "const")) return [schema["const"]];
  const { enum: values } = schema;
  return Array.isArray(values) ? values : undefined;
}

/** Whether a schema without alternatives accepts a single value: a string, number, boolean or null. */
function holds(schema: Schema, value: unknown): boolean {
  const values = valuesOf(schema);
  return values === undefined ? z.fromJSONSchema(schema).safeParse(value).success : values.includes(value);
}

const schemaSchema = z.record(z.string(), z.unknown());
const schemaOf = (value: unknown): Schema => schemaSchema.catch({}).parse(value);
const schemasOf = (value: unknown): Record<string, Schema> =>
  z.record(z.string(), schemaSchema).catch({}).parse(value);
const namesOf = (value: unknown): string[] => z.array(z.string()).catch([]).parse(value);
const number = (value: unknown): number => (typeof value === "number" ? value : NaN);
