import type * as z from "zod";
import { parseArguments } from "../validation/arguments.ts";
import { type Outcome, ok } from "../refusal.ts";
import { type ObjectSchema, inputSchemaOf, outputSchemaOf } from "./json-schema.ts";

// An older version of a tool. It has only its own input and output shapes: its calls become calls of the current
// version, whose permission, limits, labels and behaviour apply.

/** Days, as YYYY-MM-DD. */
export interface Deprecation {
  since: string;
  /** The last day on which clients may call it. After that, the version may be removed. */
  until: string;
}

/** The shapes of an older version; `Args` and `Answer` are the current version's. */
export interface OlderVersion<Args, Answer> {
  version: number;
  deprecated: Deprecation;
  description: string;
  examples: readonly unknown[];
  inputSchema: object;
  outputSchema: object;
  read: (args: unknown) => Outcome<Args>;
  show: (answer: Answer) => { structuredContent: Record<string, unknown>; text: string };
}

interface OlderSpec<Input extends ObjectSchema, Output extends ObjectSchema, Args, Answer> extends Pick<
  OlderVersion<Args, Answer>,
  "version" | "deprecated" | "description"
> {
  examples: readonly [z.input<Input>, ...z.input<Input>[]];
  input: Input;
  output: Output;
  /** Converts this version's arguments to the current version's. */
  toCurrent(args: z.output<Input>): Args;
  /** Converts the current version's answer to this version's. */
  fromCurrent(answer: Answer): z.output<Output>;
  text(output: z.output<Output>): string;
}

export function olderVersion<Input extends ObjectSchema, Output extends ObjectSchema, Args, Answer>(
  spec: OlderSpec<Input, Output, Args, Answer>,
): OlderVersion<Args, Answer> {
  const { version, deprecated, description, examples } = spec;
  return {
    version,
    deprecated,
    description,
    examples,
    inputSchema: inputSchemaOf(spec.input),
    outputSchema: outputSchemaOf(spec.output),
    read(args) {
      const parsed = parseArguments(spec.input, args);
      return parsed.ok ? ok(spec.toCurrent(parsed.value)) : parsed;
    },
    show(answer) {
      const structuredContent = spec.output.parse(spec.fromCurrent(answer));
      return { structuredContent, text: spec.text(structuredContent) };
    },
  };
}

/**
 * Returns the name by which clients call a version. A name never changes its meaning: a new version gets a new name.
 */
export const wireName = (name: string, version: number): string =>
  version === 1 ? name : `${name}_v${version}`;

export const deprecationNotice = ({ since, until }: Deprecation, use: string): string =>
  `Deprecated since ${since}, callable until ${until}: use ${use} instead.`;
