import { isDeepStrictEqual } from "node:util";
import { type Gap, type Schema, gaps } from "./containment.ts";

// Decides whether a change of what clients see breaks any of them. Arguments: a call that a client sent
// before is still accepted, and means the same. Answers: an answer of today fits the schema that clients saw
// before. So a new optional argument, a wider argument, a new field and a narrower field of an answer are
// additive; texts may change freely.

export interface Shape {
  inputSchema: Schema;
  outputSchema: Schema;
  annotations: Schema;
}

/** Returns why going from one shape to another would break clients; empty if the change is additive. */
export const breaks = (before: Shape, now: Shape): string[] => [
  ...gaps(before.inputSchema, now.inputSchema).map((gap) => ofInput(gap)),
  ...changedDefaults(before.inputSchema, now.inputSchema),
  ...gaps(now.outputSchema, before.outputSchema).map((gap) => ofOutput(gap)),
  ...PROMISES.filter(
    ([hint, promise]) => before.annotations[hint] === promise && now.annotations[hint] !== promise,
  ).map(
    ([hint, promise]) => `annotations: ${hint} was ${promise}, and clients skip a question because of it`,
  ),
];

/** Annotations that clients rely on (MCP, ToolAnnotations). */
const PROMISES: [string, boolean][] = [
  ["readOnlyHint", true],
  ["destructiveHint", false],
  ["idempotentHint", true],
  ["openWorldHint", false],
];

function ofInput({ at, keyword, inner, outer }: Gap): string {
  if (keyword === "required") return `input: ${at} is now required, but clients may leave it out`;
  if (keyword === "unnamed") return `input: ${at} was removed, but clients may send it`;
  return `input: ${at}: ${keyword} was ${show(inner)}, is now ${show(outer)}, but clients may send values that are no longer accepted`;
}

function ofOutput({ at, keyword, inner, outer }: Gap): string {
  if (keyword === "required") return `output: ${at} is now optional, but clients rely on it`;
  if (keyword === "dropped") return `output: ${at} was removed, but clients may read it`;
  return `output: ${at}: ${keyword} was ${show(outer)}, is now ${show(inner)}, but clients do not expect the new values`;
}

/** An omitted argument must keep its meaning. */
function changedDefaults(before: Schema, now: Schema, at = ""): string[] {
  const own =
    Object.hasOwn(before, "default") && !isDeepStrictEqual(before["default"], now["default"])
      ? [`input: ${at}: the default was ${show(before["default"])}, is now ${show(now["default"])}`]
      : [];
  const inside = Object.entries(isSchema(before["properties"]) ? before["properties"] : {}).flatMap(
    ([name, schema]) => {
      const other = isSchema(now["properties"]) ? now["properties"][name] : undefined;
      return isSchema(schema) && isSchema(other)
        ? changedDefaults(schema, other, at === "" ? name : `${at}.${name}`)
        : [];
    },
  );
  return [...own, ...inside];
}

const isSchema = (value: unknown): value is Schema => typeof value === "object" && value !== null;
const show = (value: unknown): string => (value === undefined ? "anything" : JSON.stringify(value));
