import type { CompleteResult } from "@modelcontextprotocol/server";
import * as z from "zod";
import { parseArguments } from "../validation/arguments.ts";
import { ok, refusalError, refuse } from "../refusal.ts";
import type { Completer } from "../resources/resource.ts";
import type { Call, Wanted } from "./call.ts";
import { takePath } from "./call-tool.ts";
import {
  COMPLETIONS_MAX,
  completionTarget,
  findPrompt,
  findTemplate,
  promptTarget,
  resourceTarget,
} from "./targets.ts";

const paramsSchema = z.object({
  ref: z.discriminatedUnion("type", [
    z.object({ type: z.literal("ref/prompt"), name: z.string().max(200) }),
    z.object({ type: z.literal("ref/resource"), uri: z.string().max(2_000) }),
  ]),
  argument: z.object({ name: z.string().max(200), value: z.string().max(1_000) }),
});
type Reference = z.output<typeof paramsSchema>;

/** Answers a completion/complete. It takes the path of a call (src/mcp/call-tool.ts). */
export async function complete(params: unknown, call: Call): Promise<CompleteResult> {
  const answer = await takePath(call, readCompletion(params), ({ ids }) => ({
    answer: { ids },
    records: ids.length,
  }));
  if (!answer.ok) throw refusalError(answer.refusal, call.correlationId);
  const { before, ids, hasMore } = answer.value;
  return { completion: { values: ids.map((id) => before + id), hasMore } };
}

type Completion = { before: string; ids: string[]; hasMore: boolean };

function readCompletion(params: unknown): Wanted<Completion> {
  const envelope = parseArguments(paramsSchema, params);
  if (!envelope.ok) return { target: completionTarget(promptTarget(undefined)), args: {}, work: envelope };
  const { target, completer } = findCompleter(envelope.value);
  const { name, value } = envelope.value.argument;
  // As in a call, so that the policy's redaction by argument name applies to partial input.
  const args = { [name]: value };
  if (completer === undefined) {
    return {
      target,
      args,
      work: refuse("not_found", "There is no prompt or resource template of that name."),
    };
  }
  return {
    target,
    args,
    work: ok(async (context) => {
      const { before = "", ids } = await completer(value, context, COMPLETIONS_MAX + 1);
      return ok({ before, ids: ids.slice(0, COMPLETIONS_MAX), hasMore: ids.length > COMPLETIONS_MAX });
    }),
  };
}

function findCompleter({ ref, argument }: Reference) {
  const nothing: Completer = async () => ({ ids: [] });
  if (ref.type === "ref/prompt") {
    const prompt = findPrompt(ref.name);
    const target = completionTarget(promptTarget(prompt));
    return { target, completer: prompt && (prompt.completer(argument.name) ?? nothing) };
  }
  const template = findTemplate(ref.uri);
  const target = completionTarget(resourceTarget(template && { template, value: "" }));
  return {
    target,
    completer: template && (argument.name === template.variable ? template.complete : nothing),
  };
}
