import * as z from "zod";
import { type Outcome, ok } from "../refusal.ts";
import type { Labels } from "../detection/labels.ts";
import type { Answered } from "../detection/signals.ts";
import { CATALOG, type Completer } from "../resources/resource.ts";
import { HINTED_SKUS } from "../catalog/sku.ts";
import type { CallContext } from "../call-context.ts";
import { parseArguments } from "../validation/arguments.ts";

/** The content of a prompt: a text, and the live resources that it refers to. */
export interface PromptContent {
  text: string;
  resources: { uri: string; value: object }[];
}

interface PromptSpec<Args extends z.ZodObject> {
  name: string;
  title: string;
  description: string;
  /** Strings on the wire. A field's description is shown to the person who fills it in. */
  args: Args;
  complete: { [Name in keyof Args["shape"]]?: Completer };
  render(args: z.output<Args>, context: CallContext): Promise<Outcome<Answered<PromptContent>>>;
}

export interface Prompt {
  /** The entry in prompts/list. */
  definition: {
    name: string;
    title: string;
    description: string;
    arguments: { name: string; description: string; required: boolean }[];
  };
  labels: Labels;
  runsAhead: true;
  prepare(args: unknown): Outcome<(context: CallContext) => Promise<Outcome<Answered<PromptContent>>>>;
  completer(argument: string): Completer | undefined;
}

export function definePrompt<Args extends z.ZodObject>(spec: PromptSpec<Args>): Prompt {
  const completers = new Map<string, Completer | undefined>(Object.entries(spec.complete));
  return {
    definition: {
      name: spec.name,
      title: spec.title,
      description: spec.description,
      arguments: Object.entries(spec.args.shape).map(([name, field]) => ({
        name,
        description: z.globalRegistry.get(field)?.description ?? "",
        required: !z.safeParse(field, undefined).success,
      })),
    },
    // Prompts use only catalog resources.
    labels: {
      ...CATALOG.labels,
      objects: { arguments: [], results: ["resources[].value.sku"], hints: HINTED_SKUS },
      cost: { records: 10, bytes: 640_000 },
    },
    runsAhead: true,
    prepare(args) {
      const parsed = parseArguments(spec.args, args);
      return parsed.ok ? ok((context) => spec.render(parsed.value, context)) : parsed;
    },
    completer: (argument) => completers.get(argument),
  };
}
