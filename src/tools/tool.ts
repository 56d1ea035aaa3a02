import type { ToolAnnotations } from "@modelcontextprotocol/server";
import * as z from "zod";
import { parseArguments } from "../validation/arguments.ts";
import type { CallContext } from "../call-context.ts";
import type { Labels } from "../detection/labels.ts";
import type { Answered, Signals } from "../detection/signals.ts";
import { NO_SIZE, type WriteSize } from "../detection/size.ts";
import type { Scope } from "../identity/scopes.ts";
import { type Outcome, ok } from "../refusal.ts";
import { CARDS_URI } from "../catalog/cards-uri.ts";
import { type ObjectSchema, inputSchemaOf, outputSchemaOf } from "./json-schema.ts";
import { publishedSchema } from "./published-schema.ts";
import type { Contract, Deprecation, OlderVersion, Shown } from "./older-version.ts";
import { currentArguments, namesOf, versionAsked, withEarlier } from "./version-argument.ts";

interface ToolSpec<Input extends ObjectSchema, Output extends ObjectSchema> extends Declaration<
  Input,
  Output
> {
  /**
   * The tool only reads the database, so a call may run beside its admission (src/guard/read-ahead.ts). A tool that asks another
   * server, or writes, must not have it.
   */
  runsAhead?: true;
  run(args: z.output<Input>, context: CallContext): Promise<Outcome<Answered<z.output<Output>>>>;
}

interface WriteSpec<
  Input extends ObjectSchema,
  Output extends ObjectSchema,
  Plan extends { size: WriteSize },
> extends Declaration<Input, Output> {
  /** Reads what the call would change, without changing it. The guard sees the plan's size before the call may run. */
  plan(args: z.output<Input>, context: CallContext): Promise<Outcome<Plan>>;
  /** Carries the plan out. */
  apply(
    args: z.output<Input>,
    context: CallContext,
    plan: Plan,
  ): Promise<Outcome<Answered<z.output<Output>>>>;
}

interface Declaration<Input extends ObjectSchema, Output extends ObjectSchema> {
  name: string;
  /** The name that clients call, if it differs from the name in the policy, the limits and the audit. */
  calledAs?: string;
  /** Raised with a change that would break clients; `previous` keeps the version before. */
  version: number;
  title: string;
  /** Says when to use the tool, to a model that sees nothing else. */
  description: string;
  /**
   * Arguments that work with the sample catalog. The model sees them, and tests run them against every version of the
   * tool.
   */
  examples: readonly [z.input<Input>, ...z.input<Input>[]];
  annotations: Required<Omit<ToolAnnotations, "title">>;
  /** The scope that the caller's token needs. */
  scope: Scope;
  labels: Labels;
  /** Whether clients with MCP Apps show the answer by the page of src/resources/cards.ts. */
  hasCard?: true;
  input: Input;
  output: Output;
  /** Whether the labels, the policy and the audit name the arguments as `run` gets them, and not as clients send them. */
  namesParsed?: boolean;
  /** The whole answer as text, for clients that do not read `structuredContent`. */
  text(output: z.output<Output>): string;
  /** Newest first. */
  previous?: readonly OlderVersion<z.input<Input>, z.output<Output>>[];
}

/** The answer for the caller, and signals for the guard only. */
export interface ToolAnswer extends Shown {
  /** The answer in the shape that the labels refer to: the current version's, unless the tool gives another. */
  measured: Record<string, unknown>;
  signals: Signals;
  meta: Record<string, unknown> | undefined;
}

/** A call whose arguments are valid but that has not run yet. */
export type PreparedCall = (context: CallContext) => Promise<Outcome<ToolAnswer>>;

/** Plans a write; throws if that fails. Only tools that change an amount have it. */
export type Measure = (context: CallContext) => Promise<WriteSize>;

/** One version of a tool. */
export interface Tool {
  /** The same for all versions. The policy, the limits and the audit use this name. */
  name: string;
  version: number;
  /** The values of the argument `version` that ask for it; none for a tool with one version. */
  names: readonly string[];
  deprecated: Deprecation | undefined;
  examples: readonly unknown[];
  /** The current version's is the tool's entry in tools/list. */
  definition: {
    name: string;
    title: string;
    description: string;
    annotations: ToolAnnotations;
    inputSchema: object;
    outputSchema: object;
    _meta: Record<string, unknown>;
  };
  /** The whole schemas by which values are checked; `definition` shows the part that every model provider accepts. */
  contract: Contract;
  scope: Scope;
  labels: Labels;
  runsAhead: true | undefined;
  /** `args` are the current version's arguments if they could be parsed, because the labels refer to those. */
  prepare(args: unknown): { args: unknown; work: Outcome<PreparedCall>; measure?: Measure | undefined };
  /** Earlier versions that clients may still call. */
  previous: readonly Tool[];
}

export const READ_ONLY = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
} as const;

/** A write that changes no more when it is sent again, and that overwrites what was there. */
export const REPEATABLE_WRITE = { ...READ_ONLY, readOnlyHint: false, destructiveHint: true } as const;

const VERSION_META_KEY = "product-catalog-mcp/version";
const DEPRECATED_META_KEY = "product-catalog-mcp/deprecated";

/** Closes over the schemas, so that a registry of different tools needs neither `any` nor a cast. */
export const defineTool = <Input extends ObjectSchema, Output extends ObjectSchema>(
  spec: ToolSpec<Input, Output>,
): Tool => makeTool(spec, (args) => ({ run: (context) => spec.run(args, context) }), spec.runsAhead);

/** Defines a tool that plans what it changes. One call plans once: the guard judges the plan that is carried out. */
export const defineWrite = <
  Input extends ObjectSchema,
  Output extends ObjectSchema,
  Plan extends { size: WriteSize },
>(
  spec: WriteSpec<Input, Output, Plan>,
): Tool =>
  makeTool(spec, (args) => {
    let planning: Promise<Outcome<Plan>> | undefined;
    const planOnce = (context: CallContext) => (planning ??= spec.plan(args, context));
    return {
      async measure(context) {
        const plan = await planOnce(context);
        return plan.ok ? plan.value.size : NO_SIZE;
      },
      async run(context) {
        const plan = await planOnce(context);
        return plan.ok ? spec.apply(args, context, plan.value) : plan;
      },
    };
  });

interface Started<Output extends ObjectSchema> {
  measure?: Measure;
  run: (context: CallContext) => Promise<Outcome<Answered<z.output<Output>>>>;
}

function makeTool<Input extends ObjectSchema, Output extends ObjectSchema>(
  spec: Declaration<Input, Output>,
  start: (args: z.output<Input>) => Started<Output>,
  runsAhead?: true,
): Tool {
  const { name, title, scope, labels, calledAs = name } = spec;
  // Clients of the revisions before 2025-06-18, and directories of connectors, read the title here.
  const annotations = { title, ...spec.annotations };
  const versions = namesOf(spec.previous);
  function prepare(
    args: unknown,
    show: (output: z.output<Output>) => Shown,
  ): Omit<ReturnType<Tool["prepare"]>, "args"> & { args?: unknown } {
    const parsed = parseArguments(spec.input, args, versions.length === 0 ? [] : ["version"]);
    if (!parsed.ok) return { work: parsed };
    const { measure, run } = start(parsed.value);
    const work: PreparedCall = async (context) => {
      const outcome = await run(context);
      if (!outcome.ok) return outcome;
      // Strict parsing makes an unnamed field an error instead of a leak.
      const value = spec.output.parse(outcome.value.value);
      const { signals, measured = value, meta } = outcome.value;
      return ok({ ...show(value), measured, signals, meta });
    };
    return { work: ok(work), measure, ...(spec.namesParsed === true && { args: parsed.value }) };
  }

  const previous = (spec.previous ?? []).map(
    ({ version, names, deprecated, description, examples, inputSchema, outputSchema, read }): Tool => ({
      name,
      version,
      names,
      deprecated,
      examples,
      definition: {
        name,
        title,
        description: describe(description, examples),
        annotations,
        ...published({ inputSchema, outputSchema }),
        _meta: { [VERSION_META_KEY]: version },
      },
      contract: { inputSchema, outputSchema },
      scope,
      labels,
      runsAhead,
      prepare(args) {
        const current = read(args);
        if (!current.ok) return { args, work: current };
        return { args: current.value.args, ...prepare(current.value.args, current.value.show) };
      },
      previous: [],
    }),
  );

  const contract = { inputSchema: inputSchemaOf(spec.input), outputSchema: outputSchemaOf(spec.output) };
  const show = (output: z.output<Output>): Shown => ({ structuredContent: output, text: spec.text(output) });
  return {
    name,
    version: spec.version,
    names: versions.slice(-1),
    deprecated: undefined,
    examples: spec.examples,
    definition: {
      name: calledAs,
      title,
      description: describe(spec.description, spec.examples),
      annotations,
      ...published(withEarlier(contract, spec.previous)),
      _meta: {
        [VERSION_META_KEY]: spec.version,
        ...(spec.hasCard && { ui: { resourceUri: CARDS_URI } }),
        ...(previous.length > 0 && { [DEPRECATED_META_KEY]: deprecations(previous) }),
      },
    },
    contract,
    scope,
    labels,
    runsAhead,
    prepare(args) {
      const asked = currentArguments(args, versions);
      return asked.ok ? { args: asked.value, ...prepare(asked.value, show) } : { args, work: asked };
    },
    previous,
  };
}

/** Returns the version that a call's arguments ask for: the current one if they name none that is known. */
export function askedVersion(tool: Tool, args: unknown): Tool {
  const asked = versionAsked(args);
  return tool.previous.find(({ names }) => names.some((name) => name === asked)) ?? tool;
}

const deprecations = (previous: readonly Tool[]): Record<string, Deprecation | undefined> =>
  Object.fromEntries(previous.flatMap(({ names, deprecated }) => names.map((name) => [name, deprecated])));

const published = ({ inputSchema, outputSchema }: Contract): Contract => ({
  inputSchema: publishedSchema(inputSchema),
  outputSchema: publishedSchema(outputSchema),
});

const describe = (description: string, examples: readonly unknown[]): string =>
  `${description}\n${examples.length > 1 ? "Examples" : "Example"}: ${examples.map((each) => JSON.stringify(each)).join(" or ")}`;
