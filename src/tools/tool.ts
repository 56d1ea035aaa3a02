import type { ToolAnnotations } from "@modelcontextprotocol/server";
import * as z from "zod";
import { parseArguments } from "../validation/arguments.ts";
import type { CallContext } from "../call-context.ts";
import type { Labels } from "../detection/labels.ts";
import type { Answered, Signals } from "../detection/signals.ts";
import type { Scope } from "../identity/scopes.ts";
import { type Outcome, ok } from "../refusal.ts";
import { type ObjectSchema, inputSchemaOf, outputSchemaOf } from "./json-schema.ts";
import { type Deprecation, type OlderVersion, deprecationNotice, wireName } from "./older-version.ts";

interface ToolSpec<Input extends ObjectSchema, Output extends ObjectSchema> {
  name: string;
  /** Rises with a change that would break clients; the version before then goes on in `previous`. */
  version: number;
  title: string;
  /** Says when to use the tool, for a model that sees nothing else. */
  description: string;
  /** Arguments that the sample catalog answers: shown to the model, and run against all that the tool becomes. */
  examples: readonly [z.input<Input>, ...z.input<Input>[]];
  annotations: Required<Omit<ToolAnnotations, "title">>;
  /** What the caller's token must have been granted. */
  scope: Scope;
  labels: Labels;
  input: Input;
  output: Output;
  run(args: z.output<Input>, context: CallContext): Promise<Outcome<Answered<z.output<Output>>>>;
  /** The whole answer as text, for clients that don't read `structuredContent`. */
  text(output: z.output<Output>): string;
  previous?: readonly OlderVersion<z.input<Input>, z.output<Output>>[];
}

/** What the caller gets, and beside it what is for the guard alone. */
export interface ToolAnswer {
  structuredContent: Record<string, unknown>;
  text: string;
  /** The answer in the shape that the tool's labels are about: its current version's, unless the tool says another. */
  measured: Record<string, unknown>;
  signals: Signals;
}

/** A call whose arguments have passed, not yet run. */
export type PreparedCall = (context: CallContext) => Promise<Outcome<ToolAnswer>>;

/** One version of a tool. */
export interface Tool {
  /** The same for all versions: the policy, the limits and the audit know the tool by it. */
  name: string;
  version: number;
  deprecated: Deprecation | undefined;
  examples: readonly unknown[];
  /** As tools/list answers it; its name is this version's own. */
  definition: {
    name: string;
    title: string;
    description: string;
    annotations: ToolAnnotations;
    inputSchema: object;
    outputSchema: object;
    _meta: Record<string, unknown>;
  };
  scope: Scope;
  labels: Labels;
  /** `args` as the current version takes them, where they could be read: the labels are about those. */
  prepare(args: unknown): { args: unknown; work: Outcome<PreparedCall> };
  /** Versions before this one that clients may still call. */
  previous: readonly Tool[];
}

export const READ_ONLY = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
} as const;

const VERSION_META_KEY = "product-catalog-mcp/version";
const DEPRECATED_META_KEY = "product-catalog-mcp/deprecated";

/** Closes over the schemas, so that a registry of different tools needs neither `any` nor a cast. */
export function defineTool<Input extends ObjectSchema, Output extends ObjectSchema>(
  spec: ToolSpec<Input, Output>,
): Tool {
  type Shown = Pick<ToolAnswer, "structuredContent" | "text">;
  const { name, title, annotations, scope, labels } = spec;
  const currentName = wireName(name, spec.version);

  function prepare(args: unknown, show: (output: z.output<Output>) => Shown): Outcome<PreparedCall> {
    const parsed = parseArguments(spec.input, args);
    if (!parsed.ok) return parsed;
    return ok(async (context) => {
      const outcome = await spec.run(parsed.value, context);
      if (!outcome.ok) return outcome;
      // Parsing strict schemas turns a field that nobody named into an error, never into a leak.
      const value = spec.output.parse(outcome.value.value);
      const { signals, measured = value } = outcome.value;
      return ok({ ...show(value), measured, signals });
    });
  }

  const previous = (spec.previous ?? []).map(
    ({ version, deprecated, description, examples, inputSchema, outputSchema, read, show }): Tool => ({
      name,
      version,
      deprecated,
      examples,
      definition: {
        name: wireName(name, version),
        title,
        description: `${deprecationNotice(deprecated, currentName)}\n${describe(description, examples)}`,
        annotations,
        inputSchema,
        outputSchema,
        _meta: { [VERSION_META_KEY]: version, [DEPRECATED_META_KEY]: { ...deprecated, use: currentName } },
      },
      scope,
      labels,
      prepare(args) {
        const current = read(args);
        return current.ok
          ? { args: current.value, work: prepare(current.value, show) }
          : { args, work: current };
      },
      previous: [],
    }),
  );

  const show = (output: z.output<Output>): Shown => ({ structuredContent: output, text: spec.text(output) });
  return {
    name,
    version: spec.version,
    deprecated: undefined,
    examples: spec.examples,
    definition: {
      name: currentName,
      title,
      description: describe(spec.description, spec.examples),
      annotations,
      inputSchema: inputSchemaOf(spec.input),
      outputSchema: outputSchemaOf(spec.output),
      _meta: { [VERSION_META_KEY]: spec.version },
    },
    scope,
    labels,
    prepare: (args) => ({ args, work: prepare(args, show) }),
    previous,
  };
}

const describe = (description: string, examples: readonly unknown[]): string =>
  `${description}\n${examples.length > 1 ? "Examples" : "Example"}: ${examples.map((each) => JSON.stringify(each)).join(" or ")}`;
