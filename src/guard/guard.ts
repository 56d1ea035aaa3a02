import type { AdmissionAnswer, AdmissionRequest } from "../caller/admission.ts";
import { shrink } from "../caller/admission.ts";
import { CallerClient } from "../caller/caller-client.ts";
import { Unreachable } from "../unreachable.ts";
import { RequestOver } from "../deadlines.ts";
import { ADMINISTRATION } from "../detection/event.ts";
import { NO_SIZE, type WriteSize } from "../detection/size.ts";
import { weightOf } from "../policy/roles.ts";
import { ok } from "../refusal.ts";
import { admissionRequest } from "./admission-request.ts";
import { crowdedPage, isAnonymousDiscovery, takeDiscovery } from "./anonymous-callers.ts";
import {
  type Admission,
  EMPTY_RESULT,
  type Guard,
  type GuardContext,
  type GuardedCall,
} from "./guarded-call.ts";
import { type CheckedCall, type LocalRefusals, checkLocally, firstLocalRefusal } from "./local-checks.ts";
import { noteDecision, takeReadAhead } from "./read-ahead.ts";
import { recorded } from "./recorded.ts";
import { UNAVAILABLE, refuseFlow, refuseRate, refusalOfEnd } from "./refusals.ts";
import { settleResult } from "./settle.ts";
import { countForNewCaller, ONE_CHANGE } from "./shared-budget.ts";
import { Turns } from "./turns.ts";
import { decideUnguarded } from "./unguarded.ts";

/** Decides several calls of the request together; returns the answers in the same order. */
type Decide = (calls: readonly CheckedCall[]) => Promise<Admission[]>;

/**
 * The guard of one request. Every call takes the same steps:
 *
 * 1. The refusals that the Worker finds by itself are collected: signature, permission, arguments (local-checks.ts).
 * 2. Discovery by an anonymous caller is decided here, by a count in the isolate (anonymous-callers.ts).
 * 3. A call of a batch waits for its turn (turns.ts). A write is planned then, so that rules see its size.
 * 4. The caller's Durable Object decides rate limit and flow rules, and records the attempt (src/caller/caller-do.ts). If it
 *    can't be reached, the policy decides (unguarded.ts).
 * 5. A public read may run beside its admission, for a caller whose latest call was admitted (read-ahead.ts).
 * 6. When the call has run, its result is settled, and the answer may still be withheld (settle.ts).
 *
 * Each call is reported to telemetry when it is over (recorded.ts).
 */
export function createGuard(context: GuardContext): Guard {
  const { principal } = context;
  const waitForTurn = inTurns(context, askCaller(context));
  let longestWaitMs: number | undefined;
  const noteWait = (admission: Admission): Admission => {
    const wait = admission.ok ? undefined : admission.refusal.retryAfterMs;
    if (wait !== undefined) longestWaitMs = Math.max(wait, longestWaitMs ?? 0);
    return admission;
  };
  return recorded(
    {
      async admit(call) {
        const checked = checkLocally(context, call);
        if (isAnonymousDiscovery(principal, call.target))
          return noteWait(decideDiscovery(context, checked.local));
        const isAhead = takeReadAhead(context, checked);
        let isAdmitted = false;
        try {
          const deciding = waitForTurn(checked);
          if (isAhead) call.runAhead?.();
          const admission = await deciding;
          isAdmitted = admission.ok && admission.degraded !== true;
          return noteWait(admission);
        } finally {
          noteDecision(principal.id, isAdmitted, isAhead);
        }
      },
      get longestWaitMs() {
        return longestWaitMs;
      },
    },
    context,
  );
}

/** Step 2: an anonymous caller that only connects has no object of its own. */
function decideDiscovery({ policy, principal }: GuardContext, local: LocalRefusals): Admission {
  const refusal = firstLocalRefusal(local);
  if (refusal !== undefined) return { ok: false, refusal };
  const wait = takeDiscovery(policy, principal, Date.now());
  return wait > 0 ? refuseRate(wait) : ok({ settle: async () => ok(undefined) });
}

/** Step 3. */
function inTurns({ policy, atOnce, deadline }: GuardContext, decide: Decide) {
  if (atOnce === undefined || deadline === undefined) {
    return async (checked: CheckedCall): Promise<Admission> => {
      const [admission] = await decide([checked]);
      return admission ?? { ok: false, refusal: UNAVAILABLE };
    };
  }
  const turns = new Turns({ atOnce, deadline, decide });
  return async (checked: CheckedCall): Promise<Admission> => {
    const { bucket, name } = checked.call.target;
    try {
      return await turns.decideInTurn({ ...checked, weight: weightOf(policy, bucket, name) });
    } catch (error) {
      if (error instanceof RequestOver) return { ok: false, refusal: refusalOfEnd(error) };
      throw error;
    }
  };
}

/** Step 4: decides all calls that are ready with one message to the caller's object. */
function askCaller(context: GuardContext): Decide {
  const { policy, principal, claim, atOnce, deadline, catalogSize } = context;
  const caller = new CallerClient(context.callers, principal.id, deadline);
  // A batch asks an unreachable object only once: each further wait would take time from the calls behind it.
  let lost: Unreachable | undefined;

  return async (calls) => {
    const now = Date.now();
    const sizes = await Promise.all(calls.map(sizeOf));
    const asked = calls.map(({ call, local }, index) => {
      const pageMax = isPaged(call) ? crowdedPage(policy, principal, now) : undefined;
      return {
        call,
        local,
        pageMax,
        request: admissionRequest(context, call, local, catalogSize, sizes[index]),
      };
    });
    try {
      if (lost !== undefined) throw lost;
      if (claim?.isStale === true) return calls.map(() => STALE);
      const { identity, answers } = await caller.admit(
        asked.map(({ request, pageMax }) =>
          pageMax === undefined ? request : { ...request, attempt: shrink(request.attempt, pageMax) },
        ),
        claim?.version,
      );
      claim?.hear(identity);
      if (answers === undefined) return calls.map(() => STALE);
      return await Promise.all(
        asked.map((each, index) => admissionOf(context, caller, each, answers[index])),
      );
    } catch (error) {
      if (error instanceof Unreachable) claim?.hearUnreachable();
      else claim?.hearNothing();
      if (error instanceof RequestOver) {
        const refusal = refusalOfEnd(error);
        return calls.map(() => ({ ok: false, refusal }));
      }
      if (!(error instanceof Unreachable)) throw error;
      if (atOnce !== undefined) lost = error;
      return asked.map(({ call, local }) => decideUnguarded(context, call, local, error));
    }
  };
}

/**
 * Plans how much a call would change, if it passed the local checks. A failure is no refusal here: the call carries out the
 * same plan, and fails with it.
 */
const sizeOf = async ({ call, local }: CheckedCall): Promise<WriteSize | undefined> =>
  firstLocalRefusal(local) === undefined ? call.size?.().catch(() => NO_SIZE) : undefined;

/** The request is served again with the present identity, so no client sees this. */
const STALE: Admission = { ok: false, refusal: UNAVAILABLE, isStale: true };

const isPaged = ({ target: { labels } }: GuardedCall): boolean => labels?.cost.page !== undefined;

interface AskedCall extends CheckedCall {
  /** Limits the page while anonymous callers have had many products. */
  pageMax: number | undefined;
  request: AdmissionRequest;
}

/** Turns the object's answer into the guard's. Step 6 starts when the call has run. */
async function admissionOf(
  context: GuardContext,
  caller: CallerClient,
  { call, local, pageMax, request }: AskedCall,
  answer: AdmissionAnswer | undefined,
): Promise<Admission> {
  if (answer === undefined) return { ok: false, refusal: UNAVAILABLE };
  if (!answer.admitted) {
    if (answer.stage === "rate") return { ...refuseRate(answer.retryAfterMs), isWindowFull: true };
    if (answer.stage === "flow")
      return { ...refuseFlow(answer.refusal, context.origin), verdicts: answer.verdicts };
    return { ok: false, refusal: local[answer.stage] ?? UNAVAILABLE };
  }
  // The object may have admitted this request before its caller's rights changed.
  const refusal = firstLocalRefusal(local);
  if (refusal !== undefined) return { ok: false, refusal };
  const admitted = { call, request, attempt: answer.seq };
  const settleOnce: Extract<Admission, { ok: true }>["value"]["settle"] = async (result) =>
    answer.isCounted ? ok(undefined) : settleResult(context, caller, admitted, result);
  // A change of who may call is counted before it is made, because it has no answer that could be withheld.
  if (context.principal.roles.includes(ADMINISTRATION)) {
    const refused = await countForNewCaller(context, call, request, ONE_CHANGE);
    if (refused !== undefined) {
      await settleOnce({ ...EMPTY_RESULT, outcome: refused.refusal.code, durationMs: 0 });
      return refused;
    }
  }
  return { ...ok({ settle: settleOnce, pageMax: answer.pageMax ?? pageMax }), verdicts: answer.verdicts };
}
