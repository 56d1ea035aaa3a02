import type { AdmissionRequest, Settlement } from "../caller/admission.ts";
import { CallerClient, Overloaded } from "../caller/caller-client.ts";
import { causeOf } from "../unreachable.ts";
import { RequestOver } from "../deadlines.ts";
import { NETWORK, SHARED } from "../detection/event.ts";
import { logSurprise } from "../telemetry/log.ts";
import { noteProducts } from "./anonymous-callers.ts";
import { mayGoOn } from "./fail-open.ts";
import type { GuardContext, GuardedCall, RuleVerdicts } from "./guarded-call.ts";
import { type Refused, UNAVAILABLE, refuseFlow, refusalOfEnd } from "./refusals.ts";

/**
 * Counts the products of an anonymous caller's answer against the budget of its network, before the answer is given, because
 * one subscriber holds many addresses. Refuses if the budget is used up. If the network's object can't be reached, the limits
 * of fail-open.ts apply.
 */
export async function countForNetwork(
  { policy, principal, callers, origin, deadline }: GuardContext,
  { correlationId, target }: GuardedCall,
  request: AdmissionRequest,
  settlement: Settlement,
): Promise<(Refused & RuleVerdicts) | undefined> {
  const { network } = principal;
  const products = settlement.flow?.objects.length ?? 0;
  if (network === undefined || products === 0) return undefined;
  const now = Date.now();
  const shared = sharedCall(request, settlement, network);
  try {
    const answer = shared && (await new CallerClient(callers, network, deadline).share(shared));
    if (answer?.given === false) return { ...refuseFlow(answer.refusal, origin), verdicts: answer.verdicts };
  } catch (error) {
    if (error instanceof RequestOver) return { ok: false, refusal: refusalOfEnd(error) };
    logSurprise(causeOf(error), { correlation_id: correlationId, what: "network budget" });
    if (error instanceof Overloaded || !mayGoOn(policy, network, { ...target, products }, now))
      return { ok: false, refusal: UNAVAILABLE };
  }
  noteProducts(policy, products, now);
  return undefined;
}

/** Returns the call to count for the network: the products that its answer holds, and nothing else. */
function sharedCall(
  { principal, limit, retentionMs, attempt }: AdmissionRequest,
  settlement: Settlement,
  network: string,
) {
  if (attempt.flow === null || settlement.flow === null) return undefined;
  const { objects } = settlement.flow;
  return {
    admission: {
      principal: network,
      refused: {},
      limit,
      retentionMs,
      attempt: {
        ...attempt,
        roles: [NETWORK, SHARED],
        weight: 0,
        arguments: JSON.stringify({ address: principal }),
        flow: {
          ...attempt.flow,
          subjects: [],
          objects,
          neighbourhoods: [],
          unnamed: { subject: false, objects: 0 },
        },
      },
    },
    settlement: {
      ...settlement,
      flow: { ...settlement.flow, missed: false, missing: [], tainted: false, canary: false },
    },
  };
}
