import type { CompleteResult } from "@modelcontextprotocol/server";
import * as z from "zod";
import { prompts } from "../prompts/registry.ts";
import { type Outcome, ok, refusalError, refuse } from "../refusal.ts";
import { resourceTemplates } from "../resources/registry.ts";
import type { Completer } from "../resources/resource.ts";
import { parseArguments } from "../arguments.ts";
import { type Call, attempt } from "./call.ts";

const paramsSchema = z.object({
  ref: z.discriminatedUnion("type", [
    z.object({ type: z.literal("ref/prompt"), name: z.string().max(200) }),
    z.object({ type: z.literal("ref/resource"), uri: z.string().max(2_000) }),
  ]),
  argument: z.object({ name: z.string().max(200), value: z.string().max(1_000) }),
});
type Reference = z.output<typeof paramsSchema>;

/** The protocol's bound on completion values. */
const VALUES_MAX = 100;

/** The path of a completion/complete, whole: envelope, completer, run, answer. */
export async function complete(params: unknown, call: Call): Promise<CompleteResult> {
  const envelope = parseArguments(paramsSchema, params);
  if (!envelope.ok) throw refusalError(envelope.refusal, call.correlationId);

  const completer = findCompleter(envelope.value);
  if (!completer.ok) throw refusalError(completer.refusal, call.correlationId);

  const run = completer.value;
  const typed = envelope.value.argument.value;
  const answer = await attempt(call, "completion/complete", async () =>
    ok(await run(typed, call.context, VALUES_MAX + 1)),
  );
  if (!answer.ok) throw refusalError(answer.refusal, call.correlationId);

  const values = answer.value.slice(0, VALUES_MAX);
  return { completion: { values, hasMore: answer.value.length > VALUES_MAX } };
}

function findCompleter({ ref, argument }: Reference): Outcome<Completer> {
  const nothing: Completer = async () => [];
  if (ref.type === "ref/prompt") {
    const prompt = prompts.find(({ definition }) => definition.name === ref.name);
    if (prompt === undefined) return refuse("not_found", "There is no prompt of that name.");
    return ok(prompt.completer(argument.name) ?? nothing);
  }
  const template = resourceTemplates.find(({ uriTemplate }) => uriTemplate === ref.uri);
  if (template === undefined) return refuse("not_found", "There is no resource template of that URI.");
  return ok(argument.name === template.variable ? template.complete : nothing);
}
