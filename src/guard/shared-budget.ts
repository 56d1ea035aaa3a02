import type { Deadline } from "../deadlines.ts";
import { SHARED } from "../detection/event.ts";
import type { Principal } from "../identity/principal.ts";
import { budgetsOf } from "../identity/lineage-rows.ts";
import type { AdmissionRequest, Settlement, SettlementAnswer } from "../caller/admission.ts";
import { CallerClient } from "../caller/caller-client.ts";
import type { CallerNamespace } from "../caller/caller-do.ts";

interface Sharing {
  db: D1Database;
  windows: CallerNamespace;
  principal: Principal;
  deadline?: Deadline | undefined;
}

/** What a call is, and what it turned out to be. */
interface Shared {
  admission: AdmissionRequest;
  settlement: Omit<Settlement, "attempt">;
}

/**
 * Counts a young caller's call against the budgets of those at the top of its lineage, before its answer is given. Counting
 * the same people again adds nothing, so a call whose reply was lost can be made again.
 *
 * `too-large` if the lineage can't be judged. Throws Unreachable if a maker's object does not answer, and what D1 throws.
 */
export async function shareBudget(
  { db, windows, principal, deadline }: Sharing,
  { admission, settlement }: Shared,
): Promise<SettlementAnswer | "too-large"> {
  const roots = await budgetsOf(db, principal.madeBy ?? [], Date.now());
  if (roots === undefined) return "too-large";
  for (const root of roots) {
    // Accounts can have made each other: then the caller's own budget is the shared one.
    if (root === principal.id) continue;
    const shared = {
      admission: { ...admission, principal: root, attempt: sharedAttempt(admission.attempt, principal.id) },
      settlement: { ...settlement, flow: settlement.flow && peopleAlone(settlement.flow) },
    };
    const answer = await new CallerClient(windows, root, deadline).share(shared);
    if (!answer.given) return answer;
  }
  return { given: true };
}

const sharedAttempt = (attempt: AdmissionRequest["attempt"], made: string): AdmissionRequest["attempt"] => ({
  ...attempt,
  roles: [...attempt.roles, SHARED],
  // The caller's own window has counted the call.
  weight: 0,
  arguments: JSON.stringify({ made }),
  flow: attempt.flow && { ...attempt.flow, objects: [], neighbourhoods: [] },
});

/** Products, text like an instruction and planted records are a matter of the caller that came upon them. */
const peopleAlone = (flow: NonNullable<Settlement["flow"]>): NonNullable<Settlement["flow"]> => ({
  ...flow,
  objects: [],
  tainted: false,
  canary: false,
});
