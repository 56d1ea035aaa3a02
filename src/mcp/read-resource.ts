import type { ReadResourceResult } from "@modelcontextprotocol/server";
import * as z from "zod";
import { parseArguments } from "../validation/arguments.ts";
import type { Answered } from "../detection/signals.ts";
import { refusalError, refuse } from "../refusal.ts";
import { RESOURCE_TYPE } from "../resources/resource.ts";
import { resourceTemplates, resources } from "../resources/registry.ts";
import { mayReach } from "./access.ts";
import type { Call, Wanted } from "./call.ts";
import { takePath } from "./call-tool.ts";
import { findResource, resourceTarget } from "./targets.ts";

const paramsSchema = z.object({ uri: z.string().min(1).max(2_000) });

// Live data: a client may reuse a read within one turn, not longer.
const TTL_MS = 5_000;

/** Answers a resources/read. It takes the path of a call (src/mcp/call-tool.ts). */
export async function readResource(params: unknown, call: Call): Promise<ReadResourceResult> {
  const wanted = readRequest(params, call);
  const answer = await takePath(call, wanted, ({ value, signals, measured = value }) => ({
    answer: measured,
    ...signals,
  }));
  if (!answer.ok) throw refusalError(answer.refusal, call.correlationId);
  return { contents: [embed(wanted.uri, answer.value.value)], ttlMs: TTL_MS, cacheScope: "private" };
}

function readRequest(params: unknown, call: Call): Wanted<Answered<object>> & { uri: string } {
  const envelope = parseArguments(paramsSchema, params);
  if (!envelope.ok) return { target: resourceTarget(undefined), args: {}, work: envelope, uri: "" };
  const { uri } = envelope.value;
  const found = findResource(uri);
  const target = resourceTarget(found);
  if (found === undefined) return { target, args: {}, work: notFound(call), uri };
  if ("resource" in found) {
    const { resource } = found;
    return { target, args: {}, work: { ok: true, value: (context) => resource.read(context) }, uri };
  }
  const { template, value } = found;
  const args = { [template.variable]: value };
  return { target, args, work: { ok: true, value: (context) => template.read(value, context) }, uri };
}

function notFound(call: Call) {
  const known = [
    ...resources.map((resource) => ({ name: resource.uri, target: resourceTarget({ resource }) })),
    ...resourceTemplates.map((template) => ({
      name: template.uriTemplate,
      target: resourceTarget({ template, value: "" }),
    })),
  ];
  const hints = { resources: known.filter(({ target }) => mayReach(call, target)).map(({ name }) => name) };
  return refuse("not_found", "There is no resource at that URI.", { hints });
}

/** Returns a resource's contents, as resources/read answers them and prompts embed them. */
export function embed(uri: string, value: object) {
  return { uri, mimeType: RESOURCE_TYPE, text: JSON.stringify(value) };
}
