import type { GetPromptResult } from "@modelcontextprotocol/server";
import * as z from "zod";
import { prompts } from "../prompts/registry.ts";
import { refusalError, refuse } from "../refusal.ts";
import { parseArguments } from "../arguments.ts";
import { type Call, attempt } from "./call.ts";
import { embed } from "./read-resource.ts";

const paramsSchema = z.object({
  name: z.string().max(200),
  arguments: z.record(z.string(), z.string()).optional(),
});
const byName = new Map(prompts.map((prompt) => [prompt.definition.name, prompt]));

/** The path of a prompts/get, whole: envelope, prompt, arguments, render, answer. */
export async function getPrompt(params: unknown, call: Call): Promise<GetPromptResult> {
  const envelope = parseArguments(paramsSchema, params);
  if (!envelope.ok) throw refusalError(envelope.refusal, call.correlationId);

  const prompt = byName.get(envelope.value.name);
  if (prompt === undefined) {
    const known = refuse("not_found", "There is no prompt of that name.", {
      hints: { prompts: [...byName.keys()] },
    });
    throw refusalError(known.refusal, call.correlationId);
  }

  const prepared = prompt.prepare(envelope.value.arguments);
  if (!prepared.ok) throw refusalError(prepared.refusal, call.correlationId);

  const render = prepared.value;
  const answer = await attempt(call, prompt.definition.name, () => render(call.context));
  if (!answer.ok) throw refusalError(answer.refusal, call.correlationId);

  const { text, resources } = answer.value;
  return {
    description: prompt.definition.description,
    messages: [
      { role: "user", content: { type: "text", text } },
      ...resources.map(({ uri, value }) => ({
        role: "user" as const,
        content: { type: "resource" as const, resource: embed(uri, value) },
      })),
    ],
  };
}
