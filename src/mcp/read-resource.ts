import { type ReadResourceResult, UriTemplate } from "@modelcontextprotocol/server";
import * as z from "zod";
import { type Outcome, refusalError, refuse } from "../refusal.ts";
import { resourceTemplates, resources } from "../resources/registry.ts";
import type { CallContext } from "../call-context.ts";
import { parseArguments } from "../arguments.ts";
import { type Call, attempt } from "./call.ts";

const paramsSchema = z.object({ uri: z.string().min(1).max(2_000) });
const byUri = new Map(resources.map((resource) => [resource.uri, resource]));
const templates = resourceTemplates.map((template) => ({
  template,
  pattern: new UriTemplate(template.uriTemplate),
}));

// Live data: a client may share a read within one turn, not longer.
const TTL_MS = 5_000;

/** The path of a resources/read, whole: envelope, resource, run, answer. */
export async function readResource(params: unknown, call: Call): Promise<ReadResourceResult> {
  const envelope = parseArguments(paramsSchema, params);
  if (!envelope.ok) throw refusalError(envelope.refusal, call.correlationId);

  const { uri } = envelope.value;
  const answer = await attempt(call, "resources/read", () => readUri(uri, call.context));
  if (!answer.ok) throw refusalError(answer.refusal, call.correlationId);

  return { contents: [embed(uri, answer.value)], ttlMs: TTL_MS, cacheScope: "private" };
}

/** What stands at a URI: a fixed resource, else the first template that matches. */
async function readUri(uri: string, context: CallContext): Promise<Outcome<object>> {
  const resource = byUri.get(uri);
  if (resource !== undefined) return resource.read(context);
  for (const { template, pattern } of templates) {
    const value = pattern.match(uri)?.[template.variable];
    if (typeof value === "string") return template.read(decode(value), context);
  }
  return refuse("not_found", "There is no resource at that URI.", {
    hints: { resources: [...byUri.keys(), ...resourceTemplates.map(({ uriTemplate }) => uriTemplate)] },
  });
}

/** A resource's contents, as resources/read answers them and prompts embed them. */
export function embed(uri: string, value: object) {
  return { uri, mimeType: "application/json", text: JSON.stringify(value) };
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
