import { isDeepStrictEqual } from "node:util";
import { type Gap, type Schema, gaps } from "./containment.ts";

// When a change of what clients see breaks none of them. Arguments: what a client sent before is still taken,
// and means the same. Answers: what is answered now fits what clients were told before. So a new optional
// argument, a wider one, a new field of an answer and a narrower one are additive; texts are free.

export interface Shape {
  inputSchema: Schema;
  outputSchema: Schema;
  annotations: Schema;
}

/** Why going from one shape to another would break clients, in words; nothing where the change is additive. */
export const breaks = (before: Shape, now: Shape): string[] => [
  ...gaps(before.inputSchema, now.inputSchema).map((gap) => ofInput(gap)),
  ...changedDefaults(before.inputSchema, now.inputSchema),
  ...gaps(now.outputSchema, before.outputSchema).map((gap) => ofOutput(gap)),
  ...PROMISES.filter(
    ([hint, promise]) => before.annotations[hint] === promise && now.annotations[hint] !== promise,
  ).map(
    ([hint, promise]) => `annotations: ${hint} was ${promise}, and clients call without asking because of it`,
  ),
];

/** What clients rely on (MCP, ToolAnnotations). */
const PROMISES: [string, boolean][] = [
  ["readOnlyHint", true],
  ["destructiveHint", false],
  ["idempotentHint", true],
  ["openWorldHint", false],
];

function ofInput({ at, keyword, inner, outer }: Gap): string {
  if (keyword === "required") return `input: ${at} is required now, and clients may leave it out`;
  if (keyword === "unnamed") return `input: ${at} is gone, and clients may send it`;
  return `input: ${at}: ${keyword} was ${show(inner)}, is now ${show(outer)}, and clients may send what is no longer taken`;
}

function ofOutput({ at, keyword, inner, outer }: Gap): string {
  if (keyword === "required") return `output: ${at} may be left out now, and clients rely on it`;
  if (keyword === "dropped") return `output: ${at} is gone, and clients may read it`;
  return `output: ${at}: ${keyword} was ${show(outer)}, is now ${show(inner)}, and clients do not expect what may come`;
}

/** An argument that is left out means what it meant before. */
function changedDefaults(before: Schema, now: Schema, at = ""): string[] {
  const own =
    Object.hasOwn(before, "default") && !isDeepStrictEqual(before["default"], now["default"])
      ? [`input: ${at}: left out it meant ${show(before["default"])}, now ${show(now["default"])}`]
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
