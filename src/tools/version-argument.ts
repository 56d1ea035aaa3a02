import * as z from "zod";
import { parseArguments } from "../validation/arguments.ts";
import { type Outcome, ok } from "../refusal.ts";
import type { Contract, Deprecation } from "./older-version.ts";

// A tool that has changed for its callers takes the argument `version`, and answers in the newest shape without it. Every
// model sees one tool of a name; a program that depends on a shape asks for it.

interface Earlier extends Contract {
  names: readonly string[];
  deprecated: Deprecation;
}

const recordSchema = z.record(z.string(), z.unknown());

export const versionAsked = (args: unknown): unknown => recordSchema.safeParse(args).data?.["version"];

export function withoutVersion(args: unknown): unknown {
  const read = recordSchema.safeParse(args);
  if (!read.success) return args;
  const { version: _, ...others } = read.data;
  return others;
}

/** Returns the names of all versions, the current one last; none for a tool with one version. */
export function namesOf(previous: readonly Earlier[] = []): string[] {
  const earlier = previous.toReversed().flatMap(({ names }) => names);
  return earlier.length === 0 ? [] : [...earlier, `v${earlier.length + 1}`];
}

/** Returns the arguments of a call of the current version without `version`, or a refusal that names all versions. */
export function currentArguments(args: unknown, names: readonly string[]): Outcome<unknown> {
  const asked = versionAsked(args);
  if (names.length === 0 || asked === undefined) return ok(args);
  const read = parseArguments(z.object({ version: z.enum(names) }), { version: asked });
  return read.ok ? ok(withoutVersion(args)) : read;
}

/**
 * Returns the contract that clients are shown: `version` among the arguments, and the answers of every version. Those of an
 * earlier one are shown by their fields' names alone, because every conversation pays for what is listed. Throws if the
 * tool has an argument of that name already.
 */
export function withEarlier(contract: Contract, previous: readonly Earlier[] = []): Contract {
  const names = namesOf(previous);
  if (names.length === 0) return contract;
  const { properties, ...input } = objectSchema.parse(contract.inputSchema);
  if (Object.hasOwn(properties, "version"))
    throw new Error("A tool with an argument `version` of its own can't have earlier versions; rename it.");
  const until = previous.map(({ deprecated }) => deprecated.until).toSorted()[0];
  const version = {
    type: "string",
    enum: names,
    description: `Shape of the answer, ${names.at(-1)} if left out. Each other one can be asked for until ${until} at least`,
  };
  return {
    inputSchema: { ...input, properties: { ...properties, version } },
    outputSchema: {
      type: "object",
      anyOf: [...alternatives(contract), ...previous.flatMap(alternatives).map(namesAlone)],
    },
  };
}

const objectSchema = z.looseObject({ properties: recordSchema });
const unionSchema = z.object({ anyOf: z.array(z.unknown()) });
const requiredSchema = z.object({ required: z.array(z.string()) });

const namesAlone = (schema: unknown): object => ({ type: "object", ...requiredSchema.parse(schema) });

const alternatives = ({ outputSchema }: Contract): unknown[] =>
  unionSchema.safeParse(outputSchema).data?.anyOf ?? [outputSchema];
