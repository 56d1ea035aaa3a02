import { EMPTY_RESULT, type Guard } from "../guard/guarded-call.ts";
import { type Principal, mayUse } from "../identity/principal.ts";
import { BASE_SCOPE, type Scope } from "../identity/scopes.ts";
import type { Policy } from "../policy/schema.ts";
import { type Refusal, refusalResponse, refuse } from "../refusal.ts";
import type { TraceContext } from "../telemetry/trace-context.ts";
import type { Message } from "./messages.ts";
import { type ToolTable, argumentsOf, discoveryTarget, targetOf } from "./targets.ts";

/** Answers the message `id` with the HTTP 403 that makes clients request the scopes that their token lacks. */
export type Challenge = (scopes: Scope[], id: Message["id"]) => Response | Promise<Response>;

interface Answering {
  correlationId: string;
  principal: Principal;
  policy: Policy;
  challenge: Challenge;
}

/**
 * Handles requests that the SDK would answer by itself or as HTTP 200. The guard decides about these too. `names` and
 * `traces` are those of the messages, in order. Returns undefined if the request goes on to dispatch.
 */
export async function answerBeforeDispatch(
  messages: readonly Message[],
  names: readonly string[],
  guard: Guard,
  { correlationId, principal, policy, challenge }: Answering,
  traces: readonly TraceContext[],
  tools: ToolTable,
): Promise<Response | undefined> {
  for (const [index, { method = "", id }] of messages.entries()) {
    if (method !== "initialize" && method !== "server/discover") continue;
    const name = names[index] ?? correlationId;
    const admission = await guard.admit({
      correlationId: name,
      target: discoveryTarget(method),
      args: {},
      refused: {},
      trace: traces[index],
    });
    if (!admission.ok) return refusalResponse(admission.refusal, name, { id });
    await admission.value.settle({ ...EMPTY_RESULT, outcome: "ok", durationMs: 0 });
  }
  // In a batch, only the call that lacks a scope is refused, in its own answer.
  const [only, ...others] = messages;
  return only === undefined || others.length > 0 ? undefined : challengeFor(only);

  async function challengeFor({ method, params, id }: Message): Promise<Response | undefined> {
    const target = targetOf(tools, { method, params });
    if (target?.access === undefined || mayUse(principal, target.access.scope)) return undefined;
    const admission = await guard.admit({
      correlationId,
      target,
      ...argumentsOf(tools, { method, params }, policy),
      trace: traces[0],
    });
    const refusal = admission.ok ? DENIED : admission.refusal;
    return refusal.code === "permission_denied"
      ? challenge([...new Set([BASE_SCOPE, target.access.scope])], id)
      : refusalResponse(refusal, correlationId, { id });
  }
}

const DENIED: Refusal = refuse("permission_denied", "The caller's token lacks a scope.").refusal;
