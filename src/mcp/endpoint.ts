import { createMcpHandler } from "@modelcontextprotocol/server";
import * as z from "zod";
import { createCatalog } from "../catalog/repository.ts";
import { ensureMigrated } from "../database/migrate.ts";
import type { Settings } from "../env.ts";
import { createInventory } from "../inventory/repository.ts";
import { type Outcome, ok, refuse, refusalResponse } from "../refusal.ts";
import { logEvent } from "../telemetry/log.ts";
import type { Call } from "./call.ts";
import { createServer } from "./server.ts";

/** JSON deeper than this is refused: recursive validation of it could exhaust the stack. */
const DEPTH_MAX = 64;
/** JSON-RPC 2.0, section 5.1. */
const PARSE_ERROR = -32700;

// JSON-RPC 2.0, section 4: a request or notification has a method, a response has none. The SDK
// checks the rest; params that are no object it would answer without our table of refusals.
const messageSchema = z.object({
  jsonrpc: z.literal("2.0"),
  method: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
});
const bodySchema = z.union([messageSchema, z.array(messageSchema).min(1).max(100)]);

/** Serves one POST to the MCP endpoint, of either protocol era. The body is bounded by now. */
export async function serveMcp(
  request: Request,
  db: D1Database,
  settings: Settings,
  correlationId: string,
): Promise<Response> {
  const json = parseJson(await request.clone().text());
  if (!json.ok) return refusalResponse(json.refusal, correlationId, PARSE_ERROR);
  const body = checkMessages(json.value);
  if (!body.ok) return refusalResponse(body.refusal, correlationId);

  await ensureMigrated(db);
  const newCall = (): Call => ({
    correlationId: crypto.randomUUID(),
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
  return handler.fetch(request, { parsedBody: body.value });
}

function parseJson(text: string): Outcome<unknown> {
  try {
    return ok(JSON.parse(text));
  } catch {
    return refuse("malformed_request", "The body is not JSON.");
  }
}

function checkMessages(body: unknown): Outcome<unknown> {
  if (isDeeperThan(DEPTH_MAX, body)) {
    return refuse("malformed_request", `The body is nested deeper than ${DEPTH_MAX} levels.`);
  }
  if (!bodySchema.safeParse(body).success) {
    return refuse("malformed_request", "The body is not JSON-RPC 2.0 with params that are an object.");
  }
  return ok(body);
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
