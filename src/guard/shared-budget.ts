import type { AdmissionRequest, Settlement } from "../caller/admission.ts";
import { CallerClient } from "../caller/caller-client.ts";
import { causeOf } from "../unreachable.ts";
import { RequestOver } from "../deadlines.ts";
import { NEWCOMERS, SHARED } from "../detection/event.ts";
import { NEW_CALLERS } from "../identity/lineage.ts";
import { budgetsOf } from "../identity/lineage-rows.ts";
import { seesEveryCustomer } from "../policy/roles.ts";
import { logSurprise } from "../telemetry/log.ts";
import type { GuardContext, GuardedCall, RuleVerdicts } from "./guarded-call.ts";
import { type Refused, UNAVAILABLE, refuseFlow, refusalOfEnd } from "./refusals.ts";

export type SharedSettlement = Omit<Settlement, "attempt">;

/** The settlement of one change of who may call, which is counted before it is made. */
export const ONE_CHANGE: SharedSettlement = {
  outcome: "ok",
  records: 1,
  bytes: 0,
  duration_ms: 0,
  flow: { subjects: [], objects: [], missed: false, tainted: false, canary: false },
};

/**
 * Counts a new caller's call against the budgets of the accounts at the top of its lineage and against that of all new
 * callers, before its answer is given. Customers, who read their own data, and changes of who may call count only for the lineage.
 * Counting the same people again adds nothing, so a retry is harmless. Refuses if a budget is used up, if the lineage can't
 * be determined, or if an object or D1 does not answer. Returns undefined if the call may go on.
 */
export async function countForNewCaller(
  { db, callers, policy, principal, origin, deadline }: GuardContext,
  { correlationId }: GuardedCall,
  request: AdmissionRequest,
  settlement: SharedSettlement,
): Promise<(Refused & RuleVerdicts) | undefined> {
  const { madeBy = [], isNew } = principal;
  if (isNew !== true) return undefined;
  try {
    const roots = madeBy.length === 0 ? [] : await budgetsOf(db, madeBy, Date.now());
    if (roots === undefined) return { ok: false, refusal: UNAVAILABLE };
    const isAboutPeople = settlement !== ONE_CHANGE && seesEveryCustomer(policy, principal.roles);
    for (const root of isAboutPeople ? [...roots, NEW_CALLERS] : roots) {
      // Accounts can have made each other; then the caller's own budget is the shared one.
      if (root === principal.id) continue;
      const answer = await new CallerClient(callers, root, deadline).share({
        admission: requestOf(request, root),
        settlement: { ...settlement, flow: settlement.flow && peopleOnly(settlement.flow) },
      });
      if (!answer.given) return { ...refuseFlow(answer.refusal, origin), verdicts: answer.verdicts };
    }
    return undefined;
  } catch (error) {
    if (error instanceof RequestOver) return { ok: false, refusal: refusalOfEnd(error) };
    logSurprise(causeOf(error), { correlation_id: correlationId, what: "shared budget" });
    return { ok: false, refusal: UNAVAILABLE };
  }
}

/** Returns the request that counts against a maker's budget. */
function requestOf(
  { principal, limit, retentionMs, attempt }: AdmissionRequest,
  root: string,
): AdmissionRequest {
  return {
    principal: root,
    refused: {},
    limit,
    retentionMs,
    attempt: {
      ...attempt,
      roles: [...attempt.roles, SHARED, ...(root === NEW_CALLERS ? [NEWCOMERS] : [])],
      // The caller's own window has counted the call.
      weight: 0,
      arguments: JSON.stringify({ made: principal }),
      flow: attempt.flow && { ...attempt.flow, objects: [], neighbourhoods: [] },
    },
  };
}

/** Keeps only the people: products, instruction-like texts and planted records concern only the caller that met them. */
const peopleOnly = (flow: NonNullable<Settlement["flow"]>): NonNullable<Settlement["flow"]> => ({
  ...flow,
  objects: [],
  tainted: false,
  canary: false,
});
