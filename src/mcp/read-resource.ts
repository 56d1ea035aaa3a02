import type { ReadResourceResult } from "@modelcontextprotocol/server";
import * as z from "zod";
import { parseArguments } from "../validation/arguments.ts";
import type { Answered } from "../detection/signals.ts";
import { ok, refusalError, refuse } from "../refusal.ts";
import { CARDS_URI } from "../catalog/cards-uri.ts";
import { readCards } from "../resources/cards.ts";
import { RESOURCE_TYPE } from "../resources/resource.ts";
import { resourceTemplates, resources } from "../resources/registry.ts";
import { mayReach } from "./access.ts";
import type { Call, Wanted } from "./call.ts";
import { takePath } from "./call-tool.ts";
import { CARDS_TARGET, findResource, resourceTarget } from "./targets.ts";

const cardsSchema = z.object({ uri: z.literal(CARDS_URI) });
const paramsSchema = z.object({ uri: z.string().min(1).max(2_000) });

// Live data: a client may reuse a read within one turn, not longer.
const TTL_MS = 5_000;
const PAGE_TTL_MS = 300_000;

/** Answers a resources/read. It takes the path of a call (src/mcp/call-tool.ts). */
export async function readResource(params: unknown, call: Call): Promise<ReadResourceResult> {
  if (cardsSchema.safeParse(params).success) return readPage(call);
  const wanted = readRequest(params, call);
  const answer = await takePath(call, wanted, ({ value, signals, measured = value }) => ({
    answer: measured,
    ...signals,
  }));
  if (!answer.ok) throw refusalError(answer.refusal, call.correlationId);
  return { contents: [embed(wanted.uri, answer.value.value)], ttlMs: TTL_MS, cacheScope: "private" };
}

/** Answers with the cards' page. It is public and holds no data, so clients may keep it as long as a list. */
async function readPage(call: Call): Promise<ReadResourceResult> {
  const read = async () => ok(await readCards(call.assets, call.policy));
  const wanted = { target: CARDS_TARGET, args: {}, work: ok(read) };
  const answer = await takePath(call, wanted, () => ({ answer: {}, records: 0 }));
  if (!answer.ok) throw refusalError(answer.refusal, call.correlationId);
  return { contents: [answer.value], ttlMs: PAGE_TTL_MS, cacheScope: "public" };
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
