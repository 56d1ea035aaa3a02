import type * as z from "zod";
import { parseArguments } from "../validation/arguments.ts";
import { type Outcome, ok } from "../refusal.ts";
import { type ObjectSchema, inputSchemaOf, outputSchemaOf } from "./json-schema.ts";
import { withoutVersion } from "./version-argument.ts";

// An older version of a tool, which callers ask for by the argument `version`. It has only its own input and output
// shapes: its calls become calls of the current version, whose permission, limits, labels and behaviour apply.

/** Days, as YYYY-MM-DD. */
export interface Deprecation {
  since: string;
  /** The last day on which clients may call it. After that, the version may be removed. */
  until: string;
}

/** JSON Schemas of what a version asks and answers. */
export interface Contract {
  inputSchema: object;
  outputSchema: object;
}

/** The shapes of an older version; `Args` and `Answer` are the current version's. */
export interface OlderVersion<Args, Answer> extends Contract {
  version: number;
  /** The values of the argument `version` that ask for it. */
  names: readonly string[];
  deprecated: Deprecation;
  description: string;
  examples: readonly unknown[];
  /** Returns the current version's arguments, and how its answer is shown to a caller of this version. */
  read: (args: unknown) => Outcome<{ args: Args; show: (answer: Answer) => Shown }>;
}

/** Both halves of an answer, as the caller gets them. */
export interface Shown {
  structuredContent: Record<string, unknown>;
  text: string;
}

interface OlderSpec<Input extends ObjectSchema, Output extends ObjectSchema, Args, Answer> extends Pick<
  OlderVersion<Args, Answer>,
  "version" | "deprecated" | "description"
> {
  /** The values of `version` that ask for it, if its own input has that argument; else `v` and its number does. */
  names?: readonly string[];
  examples: readonly [z.input<Input>, ...z.input<Input>[]];
  input: Input;
  output: Output;
  /** Converts this version's arguments to the current version's. */
  toCurrent(args: z.output<Input>): Args;
  /** Converts the current version's answer to this version's, for a call with these arguments. */
  fromCurrent(answer: Answer, args: z.output<Input>): z.output<Output>;
  text(output: z.output<Output>): string;
}

export function olderVersion<Input extends ObjectSchema, Output extends ObjectSchema, Args, Answer>(
  spec: OlderSpec<Input, Output, Args, Answer>,
): OlderVersion<Args, Answer> {
  const { version, deprecated, description, examples, names = [`v${version}`] } = spec;
  return {
    version,
    names,
    deprecated,
    description,
    examples,
    inputSchema: inputSchemaOf(spec.input),
    outputSchema: outputSchemaOf(spec.output),
    read(args) {
      const parsed =
        spec.names === undefined
          ? parseArguments(spec.input, withoutVersion(args), ["version"])
          : parseArguments(spec.input, args);
      if (!parsed.ok) return parsed;
      const show = (answer: Answer): Shown => {
        const structuredContent = spec.output.parse(spec.fromCurrent(answer, parsed.value));
        return { structuredContent, text: spec.text(structuredContent) };
      };
      return ok({ args: spec.toCurrent(parsed.value), show });
    },
  };
}
