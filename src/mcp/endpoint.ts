import { createMcpHandler } from "@modelcontextprotocol/server";
import * as z from "zod";
import { createCatalog } from "../catalog/repository.ts";
import { ensureMigrated } from "../database/migrate.ts";
import type { Settings } from "../env.ts";
import { type Principal, mayUse } from "../identity/principal.ts";
import { BASE_SCOPE, type Scope } from "../identity/scopes.ts";
import { createInventory } from "../inventory/repository.ts";
import { parseArguments } from "../arguments.ts";
import { type Outcome, type Refusal, ok, refuse, refusalResponse } from "../refusal.ts";
import { logEvent } from "../telemetry/log.ts";
import type { Call } from "./call.ts";
import { scopeOfTool } from "./call-tool.ts";
import { isHandled } from "./dispatch.ts";
import { createServer } from "./server.ts";

/** JSON deeper than this is refused: recursive validation of it could exhaust the stack. */
const DEPTH_MAX = 64;
/** JSON-RPC 2.0, section 5.1. */
const PARSE_ERROR = -32700;

// JSON-RPC 2.0, section 4. What passes here the SDK takes; what it would refuse in words of its own
// is refused here, from the table.
const messageSchema = z.strictObject({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.string().max(200), z.int()]).optional(),
  method: z.string().max(200).optional(),
  params: z.looseObject({ _meta: z.record(z.string(), z.unknown()).optional() }).optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
});
type Message = z.output<typeof messageSchema>;
const bodySchema = z.union([
  messageSchema.transform((message) => [message]),
  z.array(messageSchema).min(1).max(100),
]);
const initializeSchema = z.looseObject({
  protocolVersion: z.string(),
  capabilities: z.looseObject({}),
  clientInfo: z.looseObject({ name: z.string(), version: z.string() }),
});

/** What the endpoint needs to know of a request beside the request. */
export interface McpRequest {
  db: D1Database;
  settings: Settings;
  correlationId: string;
  principal: Principal;
  /** Answers a caller whose token lacks scopes with the challenge that makes clients ask for them. */
  challenge: (scopes: Scope[]) => Response;
}

/** Serves one request to the MCP endpoint, of either protocol era. The body is bounded by now. */
export async function serveMcp(
  request: Request,
  { db, settings, correlationId, principal, challenge }: McpRequest,
): Promise<Response> {
  if (request.method !== "POST") {
    const { refusal } = refuse("malformed_request", "The MCP endpoint takes POST alone.");
    const { body, headers } = refusalResponse(refusal, correlationId);
    return new Response(body, { status: 405, headers: { ...Object.fromEntries(headers), Allow: "POST" } });
  }
  const json = parseJson(await request.clone().text());
  if (!json.ok) return refusalResponse(json.refusal, correlationId, { jsonRpc: PARSE_ERROR });
  const messages = readMessages(json.value);
  if (!messages.ok) return refusalResponse(messages.refusal, correlationId);
  for (const message of messages.value) {
    const refused = checkMethod(message);
    if (refused !== undefined) return refusalResponse(refused, correlationId, { id: message.id });
  }
  // In a batch only the call that lacks a scope is refused, by dispatch, in its own answer.
  const [only, ...others] = messages.value;
  const missing = only !== undefined && others.length === 0 ? missingScope(only, principal) : undefined;
  if (missing !== undefined) return challenge([...new Set([BASE_SCOPE, missing])]);

  await ensureMigrated(db);
  const newCall = (): Call => ({
    correlationId: crypto.randomUUID(),
    principal,
    context: { catalog: createCatalog(db), inventory: createInventory(db), now: Date.now() },
    deadlineMs: settings.CALL_DEADLINE_MS,
  });
  // A handler per request lets its server close over the call with types; it holds no state that
  // another request would need, as there are no sessions and no subscriptions.
  const handler = createMcpHandler((context) => createServer(context, newCall), {
    maxSubscriptions: 0,
    onerror: ({ message }) =>
      logEvent("info", "protocol_error", { correlation_id: correlationId, message: message.slice(0, 200) }),
  });
  return handler.fetch(request, { parsedBody: json.value });
}

function parseJson(text: string): Outcome<unknown> {
  try {
    return ok(JSON.parse(text));
  } catch {
    return refuse("malformed_request", "The body is not JSON.");
  }
}

function readMessages(body: unknown): Outcome<Message[]> {
  if (isDeeperThan(DEPTH_MAX, body)) {
    return refuse("malformed_request", `The body is nested deeper than ${DEPTH_MAX} levels.`);
  }
  const messages = bodySchema.safeParse(body);
  if (!messages.success)
    return refuse("malformed_request", "The body is not JSON-RPC 2.0 with params that are an object.");
  return ok(messages.data);
}

/** Refuses what only the SDK would answer, and would in words of its own. */
function checkMethod({ method, params }: Message): Refusal | undefined {
  if (method === "initialize") {
    const parsed = parseArguments(initializeSchema, params);
    return parsed.ok ? undefined : parsed.refusal;
  }
  // There is nothing to subscribe to: lists change with a deployment, and data is read when asked for.
  if (method === "subscriptions/listen") {
    return refuse("unknown_method", "This server has no subscriptions.").refusal;
  }
  return undefined;
}

function missingScope({ method, params }: Message, principal: Principal): Scope | undefined {
  const scope =
    method === "tools/call"
      ? scopeOfTool(params?.["name"])
      : isHandled(method ?? "")
        ? BASE_SCOPE
        : undefined;
  return scope === undefined || mayUse(principal, scope) ? undefined : scope;
}

/** Without recursion, which is what it guards against. */
function isDeeperThan(max: number, root: unknown): boolean {
  let level = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > max) return true;
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null ? Object.values(value) : [],
    );
  }
  return false;
}
