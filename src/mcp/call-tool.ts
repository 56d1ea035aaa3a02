import type { CallToolResult } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Scope } from "../identity/scopes.ts";
import { type Refusal, refusalError, refusalResult, refuse } from "../refusal.ts";
import { tools } from "../tools/registry.ts";
import { parseArguments } from "../arguments.ts";
import { type Call, attempt, refuseScope } from "./call.ts";

const paramsSchema = z.object({
  name: z.string().max(200),
  arguments: z.record(z.string(), z.unknown()).optional(),
});
const byName = new Map(tools.map((tool) => [tool.definition.name, tool]));

/** The scope that a call of a tool needs; undefined for a tool that is none. */
export const scopeOfTool = (name: unknown): Scope | undefined =>
  typeof name === "string" ? byName.get(name)?.scope : undefined;

/** The path of a tools/call, whole: envelope, tool, scope, arguments, run, answer. */
export async function callTool(params: unknown, call: Call): Promise<CallToolResult> {
  const envelope = parseArguments(paramsSchema, params);
  if (!envelope.ok) throw refusalError(envelope.refusal, call.correlationId);

  const tool = byName.get(envelope.value.name);
  if (tool === undefined) throw refusalError(unknownTool, call.correlationId);

  const forbidden = refuseScope(call.principal, tool.scope);
  if (forbidden !== undefined) return refusalResult(forbidden, call.correlationId);

  const prepared = tool.prepare(envelope.value.arguments);
  if (!prepared.ok) return refusalResult(prepared.refusal, call.correlationId);

  const run = prepared.value;
  const answer = await attempt(call, tool.definition.name, () => run(call.context));
  if (!answer.ok) return refusalResult(answer.refusal, call.correlationId);

  const { structuredContent, text } = answer.value;
  return { content: [{ type: "text", text }], structuredContent };
}

// The name is not repeated: it is the caller's text, and would be read back as the server's.
const unknownTool: Refusal = refuse("unknown_tool", "There is no tool of that name.").refusal;
