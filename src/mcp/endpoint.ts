import type { JSONRPCRequest, ServerContext } from "@modelcontextprotocol/server";
import { createCatalog } from "../catalog/repository.ts";
import { ensureMigrated } from "../database/migrate.ts";
import type { Deadline } from "../deadlines.ts";
import { keptTokenOf } from "../detection/tokens.ts";
import { CallerSlots } from "../guard/caller-slots.ts";
import { type Guard, EMPTY_RESULT, createGuard } from "../guard/guard.ts";
import { recorded } from "../guard/recorded.ts";
import type { CallerNamespace } from "../caller/caller-do.ts";
import { type Principal, mayUse } from "../identity/principal.ts";
import { BASE_SCOPE, type Scope } from "../identity/scopes.ts";
import { createInventory } from "../inventory/repository.ts";
import type { Policy } from "../policy/schema.ts";
import { type Refusal, refusalResponse, refuse, retryAfterSeconds } from "../refusal.ts";
import { createSupport } from "../support/repository.ts";
import { viewerOf } from "../support/viewer.ts";
import { timedD1 } from "../telemetry/timed-d1.ts";
import type { Call } from "./call.ts";
import { retryOf } from "./confirm.ts";
import { dispatch, isHandled } from "./dispatch.ts";
import { type Message, describeClient } from "./messages.ts";
import { readBody, serveBody } from "./protocol.ts";
import { PRODUCT } from "./server.ts";
import { argumentsOf, discoveryTarget, targetOf } from "./targets.ts";

/** What the endpoint needs to know of a request beside the request. */
export interface McpRequest {
  db: D1Database;
  windows: CallerNamespace;
  policy: Policy;
  secretKey: string;
  /** Names the request; its calls are named by `callNames`. */
  correlationId: string;
  deadline: Deadline;
  /** Of this server, as its clients reach it. */
  origin: string;
  principal: Principal;
  /** Answers the call `id` of a caller whose token lacks scopes with the challenge that makes clients ask for them. */
  challenge: (scopes: Scope[], id: Message["id"]) => Response | Promise<Response>;
}

/**
 * Two calls of a caller run at the same time. D1 answers one query after another, so each of them is a query that others may
 * have to wait for (docs/performance.md).
 */
const slots = new CallerSlots(2);

/** Serves one request to the MCP endpoint, of either protocol era. The body is bounded by now. */
export async function serveMcp(request: Request, context: McpRequest): Promise<Response> {
  const { db, policy, secretKey, correlationId, deadline, principal } = context;
  const body = await readBody(request, correlationId, keptTokenOf("principal", principal.id, secretKey));
  if (body instanceof Response) return body;
  const { messages } = body;

  await ensureMigrated(db);
  const known = { ...context, ...describeClient(request, messages), slots };
  const guard = withRetryAfter(recorded(createGuard(known), known));
  const names = callNames(correlationId, messages);
  const early = await refuseEarly(messages, names, guard, context);
  if (early !== undefined) return early;

  const timed = timedD1(db);
  const nameOf = new Map(messages.map(({ id }, index) => [id, names[index]]));
  const newCall = ({ id }: JSONRPCRequest, protocol: ServerContext): Call => ({
    correlationId: nameOf.get(id) ?? correlationId,
    principal,
    policy,
    guard,
    context: {
      catalog: createCatalog(timed),
      inventory: createInventory(timed),
      support: createSupport(timed, viewerOf(policy, principal)),
      now: Date.now(),
    },
    deadline,
    secretKey,
    retry: retryOf(protocol, secretKey),
  });
  const served = {
    ...PRODUCT,
    isHandled,
    answer: (message: JSONRPCRequest, protocol: ServerContext) =>
      dispatch(message, newCall(message, protocol)),
  };
  const response = await serveBody(request, body, served, correlationId);
  // On the 2025 revisions the headers leave before a call is decided; there the answer's own retryAfterMs tells.
  if (guard.retryAfterMs !== undefined)
    response.headers.set("Retry-After", retryAfterSeconds(guard.retryAfterMs));
  return response;
}

/**
 * Names of a request's messages, in their order: the request's own name when there is one message, else that with the
 * message's place in the batch, from 1. Logs, refusals and the audit name a call by it.
 */
export const callNames = (correlationId: string, messages: readonly Message[]): string[] =>
  messages.length === 1 ? [correlationId] : messages.map((_, index) => `${correlationId}/${index + 1}`);

/** Refuses, before the SDK sees it, what it would answer by itself and what only HTTP can say. */
async function refuseEarly(
  messages: Message[],
  names: readonly string[],
  guard: Guard,
  { correlationId, principal, challenge }: McpRequest,
): Promise<Response | undefined> {
  for (const [index, { method = "", id }] of messages.entries()) {
    if (method !== "initialize" && method !== "server/discover") continue;
    const target = discoveryTarget(method);
    const name = names[index] ?? correlationId;
    const admission = await guard.admit({ correlationId: name, target, args: {}, refused: {} });
    if (!admission.ok) return refusalResponse(admission.refusal, name, { id });
    await admission.value.settle({ ...EMPTY_RESULT, outcome: "ok", durationMs: 0 });
  }
  // In a batch only the call that lacks a scope is refused, by the guard, in its own answer.
  const [only, ...others] = messages;
  const target = only === undefined || others.length > 0 ? undefined : targetOf(only.method, only.params);
  if (target?.access === undefined || mayUse(principal, target.access.scope)) return undefined;
  const refused = await guard.admit({ correlationId, target, ...argumentsOf(only?.method, only?.params) });
  const lacksScope = !refused.ok && refused.refusal.code === "permission_denied";
  if (lacksScope) return challenge([...new Set([BASE_SCOPE, target.access.scope])], only?.id);
  return refusalResponse(refused.ok ? DENIED : refused.refusal, correlationId, { id: only?.id });
}

const DENIED: Refusal = refuse("permission_denied", "The caller's token lacks a scope.").refusal;

/** The guard, and how long the latest of its refusals asks to wait. */
function withRetryAfter(guard: Guard): Guard & { retryAfterMs: number | undefined } {
  return {
    retryAfterMs: undefined,
    async admit(asked) {
      const admission = await guard.admit(asked);
      const wait = admission.ok ? undefined : admission.refusal.retryAfterMs;
      if (wait !== undefined) this.retryAfterMs = Math.max(wait, this.retryAfterMs ?? 0);
      return admission;
    },
  };
}
