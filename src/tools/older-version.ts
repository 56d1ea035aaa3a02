import type * as z from "zod";
import { parseArguments } from "../validation/arguments.ts";
import { type Outcome, ok } from "../refusal.ts";
import { type ObjectSchema, inputSchemaOf, outputSchemaOf } from "./json-schema.ts";

// A version of a tool that is no longer the current one. It has shapes of its own and nothing else: its
// calls become calls of the current version, so permission, limits, labels and behaviour are that one's.

/** Days, as YYYY-MM-DD. */
export interface Deprecation {
  since: string;
  /** The last day on which it may be called; after it, the version may be removed. */
  until: string;
}

/** What a tool keeps of an older version; `Args` and `Answer` are the current version's. */
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
  /** Arguments of this version as the current one takes them. */
  toCurrent(args: z.output<Input>): Args;
  /** The current version's answer as this one gave it. */
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

/** What clients call a version by. A name never changes its meaning: a new version gets a new one. */
export const wireName = (name: string, version: number): string =>
  version === 1 ? name : `${name}_v${version}`;

export const deprecationNotice = ({ since, until }: Deprecation, use: string): string =>
  `Deprecated since ${since}, callable until ${until}: use ${use} instead.`;
