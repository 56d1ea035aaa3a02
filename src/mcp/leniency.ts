import * as z from "zod";

// Everything that this server accepts beyond the protocol and the tools' schemas. docs/leniency.md shows it, and a test
// runs that page's examples.

const NULLABLE_MEMBERS = ["params"];
const NULLABLE_PARAMS = ["_meta", "cursor"];

const recordSchema = z.record(z.string(), z.unknown());

/**
 * Removes optional members that are null from a message or a batch, and an empty cursor of a list. Anything else stays
 * for the validation.
 */
export function forgiveBody(body: unknown): unknown {
  return Array.isArray(body) ? body.map(forgiveMessage) : forgiveMessage(body);
}

function forgiveMessage(message: unknown): unknown {
  const read = recordSchema.safeParse(message);
  if (!read.success) return message;
  const kept = without(read.data, NULLABLE_MEMBERS, isNull);
  const params = recordSchema.safeParse(kept["params"]);
  if (!params.success) return kept;
  return { ...kept, params: without(without(params.data, NULLABLE_PARAMS, isNull), ["cursor"], isEmpty) };
}

/**
 * Returns whether the client reads server-sent events. Clients on the 2025 revisions should accept both forms; one that
 * does not name events gets plain JSON, whatever else it accepts.
 */
export const acceptsEvents = (accept: string | null): boolean =>
  accept?.toLowerCase().includes("text/event-stream") === true;

/** The parts of a tool or prompt that decide what is forgiven in its arguments. */
export interface ArgumentRules {
  /** The published JSON Schema of the arguments. */
  inputSchema: object;
  isReadOnly: boolean;
  /** Arguments that known clients add to every call, by the policy's `ignored_arguments`. */
  ignored: readonly string[];
}

/**
 * Returns a call's arguments as this server reads them. The policy's ignored arguments are dropped, unless the schema
 * has one of that name. Only for a read, null and "" in an optional argument count as absent, and text that is a number
 * or a boolean counts as one if the schema has that type. A write takes every value as it was sent, because "" or "1"
 * may mean the opposite of what a default would do.
 */
export function forgiveArguments(
  args: unknown,
  { inputSchema, isReadOnly, ignored }: ArgumentRules,
): unknown {
  if (args === undefined || (args === null && isReadOnly)) return {};
  const read = recordSchema.safeParse(args);
  if (!read.success) return args;
  const schema = schemaOf(inputSchema);
  const kept = without(read.data, ignored, (_, name) => !Object.hasOwn(schema.properties, name));
  return isReadOnly ? forgiveObject(kept, schema) : kept;
}

const schemaSchema = z.looseObject({
  type: z.unknown(),
  properties: z.record(z.string(), z.unknown()).catch({}),
  required: z.array(z.string()).catch([]),
});
type ArgumentSchema = z.output<typeof schemaSchema>;
const schemaOf = (schema: unknown): ArgumentSchema => schemaSchema.catch(ANYTHING).parse(schema);
const ANYTHING: ArgumentSchema = { type: undefined, properties: {}, required: [] };

function forgiveObject(
  args: Record<string, unknown>,
  { properties, required }: ArgumentSchema,
): Record<string, unknown> {
  const optional = Object.keys(properties).filter((name) => !required.includes(name));
  const kept = without(args, optional, (value) => isNull(value) || isEmpty(value));
  return Object.fromEntries(
    Object.entries(kept).map(([name, value]) => [
      name,
      Object.hasOwn(properties, name) ? forgiveValue(value, schemaOf(properties[name])) : value,
    ]),
  );
}

function forgiveValue(value: unknown, schema: ArgumentSchema): unknown {
  if (schema.type === "object") {
    const read = recordSchema.safeParse(value);
    return read.success ? forgiveObject(read.data, schema) : value;
  }
  if (typeof value !== "string") return value;
  if (schema.type === "boolean") return BOOLEANS.get(value) ?? value;
  const isNumber = schema.type === "integer" || schema.type === "number";
  return isNumber && DECIMAL.test(value) ? Number(value) : value;
}

const BOOLEANS = new Map([
  ["true", true],
  ["false", false],
]);
const DECIMAL = /^-?\d{1,15}(?:\.\d{1,15})?$/;

const isNull = (value: unknown): boolean => value === null;
const isEmpty = (value: unknown): boolean => value === "";

/** Leaves out the named members whose value matches. */
const without = (
  record: Record<string, unknown>,
  names: readonly string[],
  matches: (value: unknown, name: string) => boolean,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(record).filter(([name, value]) => !names.includes(name) || !matches(value, name)),
  );
