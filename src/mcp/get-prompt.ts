import type { GetPromptResult } from "@modelcontextprotocol/server";
import * as z from "zod";
import { parseArguments } from "../validation/arguments.ts";
import type { Answered } from "../detection/signals.ts";
import type { Policy } from "../policy/schema.ts";
import type { Prompt, PromptContent } from "../prompts/prompt.ts";
import { prompts } from "../prompts/registry.ts";
import { refusalError, refuse } from "../refusal.ts";
import { mayReach } from "./access.ts";
import type { Call, Wanted } from "./call.ts";
import { takePath } from "./call-tool.ts";
import { type ArgumentRules, forgiveArguments } from "./leniency.ts";
import { embed } from "./read-resource.ts";
import { findPrompt, promptTarget } from "./targets.ts";

const paramsSchema = z.object({
  name: z.string().max(200),
  arguments: z.record(z.string(), z.unknown()).nullish(),
});

/** Answers a prompts/get. It takes the path of a call (src/mcp/call-tool.ts). */
export async function getPrompt(params: unknown, call: Call): Promise<GetPromptResult> {
  const wanted = readPromptRequest(params, call);
  const answer = await takePath(call, wanted, ({ value, signals }) => ({ answer: value, ...signals }));
  if (!answer.ok) throw refusalError(answer.refusal, call.correlationId);

  const { text, resources } = answer.value.value;
  return {
    description: wanted.description,
    messages: [
      { role: "user", content: { type: "text", text } },
      // As text, because many clients show a model no embedded resource.
      ...resources.map(({ uri, value }) => ({
        role: "user" as const,
        content: { type: "text" as const, text: `${uri}\n${embed(uri, value).text}` },
      })),
    ],
  };
}

/** A prompt is a read, and its arguments are texts. */
const rulesOf = ({ definition }: Prompt, policy: Policy): ArgumentRules => ({
  inputSchema: {
    properties: Object.fromEntries(definition.arguments.map(({ name }) => [name, { type: "string" }])),
    required: definition.arguments.flatMap(({ name, required }) => (required ? [name] : [])),
  },
  isReadOnly: true,
  ignored: policy.ignored_arguments,
});

function readPromptRequest(
  params: unknown,
  call: Call,
): Wanted<Answered<PromptContent>> & { description: string } {
  const envelope = parseArguments(paramsSchema, params);
  if (!envelope.ok) return { target: promptTarget(undefined), args: {}, work: envelope, description: "" };
  const { name, arguments: sent } = envelope.value;
  const prompt = findPrompt(name);
  const args = prompt === undefined ? {} : forgiveArguments(sent, rulesOf(prompt, call.policy));
  const target = promptTarget(prompt);
  if (prompt === undefined) {
    const known = prompts.filter((each) => mayReach(call, promptTarget(each)));
    const hints = { prompts: known.map(({ definition }) => definition.name) };
    const work = refuse("not_found", "There is no prompt of that name.", { hints });
    return { target, args, work, description: "" };
  }
  return { target, args, work: prompt.prepare(args), description: prompt.definition.description };
}
