import type { ToolAnnotations } from "@modelcontextprotocol/server";
import * as z from "zod";
import { parseArguments } from "../arguments.ts";
import type { CallContext } from "../call-context.ts";
import type { Labels } from "../flow/labels.ts";
import type { Answered, Signals } from "../flow/signals.ts";
import type { Scope } from "../identity/scopes.ts";
import { type Outcome, ok } from "../refusal.ts";

type ObjectSchema = z.ZodType<Record<string, unknown>>;

interface ToolSpec<Input extends ObjectSchema, Output extends ObjectSchema> {
  name: string;
  title: string;
  /** Says when to use the tool and shows one call, for a model that sees nothing else. */
  description: string;
  annotations: Required<Omit<ToolAnnotations, "title">>;
  /** What the caller's token must have been granted. */
  scope: Scope;
  labels: Labels;
  input: Input;
  output: Output;
  run(args: z.output<Input>, context: CallContext): Promise<Outcome<Answered<z.output<Output>>>>;
  /** The whole answer as text, for clients that don't read `structuredContent`. */
  text(output: z.output<Output>): string;
}

/** `signals` is for the guard alone; the rest is what the caller gets. */
export interface ToolAnswer {
  structuredContent: Record<string, unknown>;
  text: string;
  signals: Signals;
}

/** A call whose arguments have passed, not yet run. */
export type PreparedCall = (context: CallContext) => Promise<Outcome<ToolAnswer>>;

export interface Tool {
  /** As tools/list answers it. */
  definition: {
    name: string;
    title: string;
    description: string;
    annotations: ToolAnnotations;
    inputSchema: object;
    outputSchema: object;
  };
  scope: Scope;
  labels: Labels;
  prepare(args: unknown): Outcome<PreparedCall>;
}

export const READ_ONLY = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
} as const;

/** Closes over the schemas, so that a registry of different tools needs neither `any` nor a cast. */
export function defineTool<Input extends ObjectSchema, Output extends ObjectSchema>(
  spec: ToolSpec<Input, Output>,
): Tool {
  return {
    definition: {
      name: spec.name,
      title: spec.title,
      description: spec.description,
      annotations: spec.annotations,
      inputSchema: { ...z.toJSONSchema(spec.input, { io: "input" }), type: "object" },
      outputSchema: {
        ...z.toJSONSchema(spec.output, { io: "output", override: allowMore }),
        type: "object",
      },
    },
    scope: spec.scope,
    labels: spec.labels,
    prepare(args) {
      const parsed = parseArguments(spec.input, args);
      if (!parsed.ok) return parsed;
      return ok(async (context) => {
        const outcome = await spec.run(parsed.value, context);
        if (!outcome.ok) return outcome;
        // Parsing strict schemas turns a field that nobody named into an error, never into a leak.
        const structuredContent = spec.output.parse(outcome.value.value);
        const { signals } = outcome.value;
        return ok({ structuredContent, text: spec.text(structuredContent), signals });
      });
    },
  };
}

// Said to clients, "no other property" would make every added field a breaking change.
function allowMore({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  delete jsonSchema.additionalProperties;
}
