import type { JSONRPCRequest, ServerContext } from "@modelcontextprotocol/server";
import { createCatalog } from "../catalog/repository.ts";
import type { CallerNamespace } from "../caller/caller-do.ts";
import { anyCopy } from "../database/copies.ts";
import { ensureMigrated } from "../database/migrate.ts";
import type { Deadline } from "../deadlines.ts";
import { keptTokenOf } from "../detection/tokens.ts";
import { catalogSize } from "../guard/catalog-size.ts";
import { createGuard } from "../guard/guard.ts";
import type { IdentityClaim } from "../identity/kept-identities.ts";
import type { Principal } from "../identity/principal.ts";
import { createInventory } from "../inventory/repository.ts";
import type { Policy } from "../policy/schema.ts";
import type { Assets } from "../public-files.ts";
import { retryAfterSeconds } from "../refusal.ts";
import { createSupport } from "../support/repository.ts";
import { viewerOf } from "../support/viewer.ts";
import { createAgents } from "../ucp/agents.ts";
import { timedD1 } from "../telemetry/timed-d1.ts";
import { readTraceContext } from "../telemetry/trace-context.ts";
import { type Challenge, answerBeforeDispatch } from "./before-dispatch.ts";
import type { Call } from "./call.ts";
import { retryOf } from "./confirm.ts";
import { OWN_OFFER, type Offer, dispatch } from "./dispatch.ts";
import { serverIcons } from "./icons.ts";
import { type Message, describeClient } from "./messages.ts";
import { readBody, serveBody } from "./protocol.ts";

/** The context of a request to the endpoint. */
export interface McpRequest {
  db: D1Database;
  callers: CallerNamespace;
  assets: Assets;
  policy: Policy;
  secretKey: string;
  /** Names the request; `callNames` names its calls. */
  correlationId: string;
  deadline: Deadline;
  /** Scheme, host and port by which clients reach this server. */
  origin: string;
  principal: Principal;
  claim?: IdentityClaim | undefined;
  /** The profile of the agent that signed the request. */
  signedAs?: string | undefined;
  challenge: Challenge;
}

const INTRODUCTIONS = new Set(["initialize", "server/discover"]);

/** How many calls of one request run at the same time (docs/performance.md). */
const CALLS_AT_ONCE = 1;

/** Serves one request to an MCP endpoint, of either protocol era. The body's size was limited before. */
export async function serveMcp(
  request: Request,
  context: McpRequest,
  offer: Offer = OWN_OFFER,
): Promise<Response> {
  const { db, assets, policy, secretKey, correlationId, deadline, principal, origin } = context;
  const body = await readBody(request, correlationId, keptTokenOf("principal", principal.id, secretKey));
  if (body instanceof Response) return body;
  const { messages } = body;
  const names = callNames(correlationId, messages);

  // In this isolate's first request, one trip to the database for both.
  const size = catalogSize(db, Date.now(), deadline);
  await ensureMigrated(db);
  const guard = createGuard({
    ...context,
    ...describeClient(request, messages),
    catalogSize: await size,
    isBatch: messages.length > 1,
    atOnce: CALLS_AT_ONCE,
  });
  const traces = messages.map(({ params }) => readTraceContext(params?._meta, request.headers));
  const early = await answerBeforeDispatch(messages, names, guard, context, traces, offer.tools);
  if (early !== undefined) return early;

  const timed = timedD1(db);
  const placeOf = new Map(messages.map(({ id }, index) => [id, index]));
  const newCall = (place: number, protocol: ServerContext): Call => {
    const { promise: admitted, resolve: noteAdmitted } = Promise.withResolvers<void>();
    return {
      correlationId: names[place] ?? correlationId,
      trace: traces[place],
      principal,
      policy,
      guard,
      context: {
        catalog: createCatalog(timedD1(anyCopy(db)), admitted),
        inventory: createInventory(timed, principal.id),
        support: createSupport(timed, viewerOf(policy, principal)),
        agents: createAgents({ origin, policy, caller: principal.id, signedAs: context.signedAs }),
        now: Date.now(),
      },
      noteAdmitted,
      deadline,
      assets,
      origin,
      secretKey,
      retry: retryOf(protocol, secretKey),
    };
  };
  // On 2026-07-28 every answer names the server, and only the one that introduces it needs icons.
  const isIntroduced = messages.some(({ method = "" }) => INTRODUCTIONS.has(method));
  const served = {
    ...offer,
    ...(isIntroduced && { info: { ...offer.info, icons: serverIcons(origin) } }),
    isHandled: (method: string) => offer.handlers.has(method),
    answer: (message: JSONRPCRequest, protocol: ServerContext) =>
      dispatch(message, newCall(placeOf.get(message.id) ?? 0, protocol), offer),
  };
  const response = await serveBody(request, body, served, correlationId);
  if (isStream(response) && messages.some(({ method = "" }) => offer.handlers.has(method)))
    await hasSpoken(context);
  // On the 2025 revisions the headers are sent before a call is decided; there the client reads retryAfterMs in the
  // answer.
  if (guard.longestWaitMs !== undefined)
    response.headers.set("Retry-After", retryAfterSeconds(guard.longestWaitMs));
  return response;
}

const isStream = ({ headers }: Response): boolean =>
  headers.get("content-type")?.includes("text/event-stream") === true;

/** Waits for the word of the caller's object about a kept identity, because a stream leaves before its calls are decided. */
async function hasSpoken({ claim, deadline }: McpRequest): Promise<void> {
  if (claim?.version !== undefined) await deadline.run(() => claim.spoken);
}

/**
 * Returns the names of a request's messages, in order. A single message has the request's own name; in a batch, the
 * message's place, counted from 1, is appended. Logs, refusals and the audit name a call by it.
 */
export const callNames = (correlationId: string, messages: readonly Message[]): string[] =>
  messages.length === 1 ? [correlationId] : messages.map((_, index) => `${correlationId}/${index + 1}`);
