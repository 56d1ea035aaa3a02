import { waitUntil } from "cloudflare:workers";
import { type Deadline, RequestOver } from "../deadlines.ts";
import { describeArguments } from "../detection/describe.ts";
import { ADMINISTRATION } from "../detection/event.ts";
import { type Labels, isPersonal } from "../detection/labels.ts";
import type { Signals } from "../detection/signals.ts";
import { objectTokens, touchedBy } from "../detection/tokens.ts";
import type { Principal } from "../identity/principal.ts";
import { limitOf, weightOf } from "../policy/roles.ts";
import type { Limit, Policy } from "../policy/schema.ts";
import { type Outcome, type Refusal, type RefusalCode, ok, refuse } from "../refusal.ts";
import type { FlowVerdict } from "../telemetry/call-record.ts";
import { logEvent, logSurprise } from "../telemetry/log.ts";
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  type Agreed,
  type FlowRefusal,
  type Settlement,
  shrink,
} from "../caller/admission.ts";
import { crowdedPage, isAnonymousDiscovery, noteProducts, takeDiscovery } from "./anonymous-callers.ts";
import type { CallerSlots } from "./caller-slots.ts";
import { catalogSize } from "./catalog-size.ts";
import { mayGoOn } from "./fail-open.ts";
import { countForNetwork } from "./network-budget.ts";
import { shareBudget } from "./shared-budget.ts";
import { checkPermission } from "./permission.ts";
import { digestArguments, redactArguments } from "./redact.ts";
import type { Target } from "./target.ts";
import { Turns } from "./turns.ts";
import { CallerClient, Overloaded, Unreachable, causeOf } from "../caller/caller-client.ts";
import type { CallerNamespace } from "../caller/caller-do.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Who asks, for what, with which arguments, and what the Worker's own checks say of it. */
export interface GuardedCall {
  correlationId: string;
  target: Target;
  args: unknown;
  refused: { signature?: Refusal | undefined; arguments?: Refusal | undefined };
  /** A form in the client that was accepted for this very call (src/mcp/confirm.ts). */
  agreed?: Agreed | undefined;
}

/** What a call turned out to be. */
export interface CallResult extends Signals {
  /** `ok`, or the code of the refusal that it ended in. */
  outcome: "ok" | RefusalCode;
  bytes: number;
  durationMs: number;
  /** What was answered, for the ids that its labels point at; of a refusal, its hints. */
  answer: unknown;
}

/** Of what was not answered. */
export const EMPTY_RESULT: Omit<CallResult, "outcome" | "durationMs"> = {
  answer: undefined,
  records: 0,
  bytes: 0,
  missed: false,
  tainted: false,
  canary: false,
};

/** A call that may run. */
export interface Admitted {
  /** The call may answer no more records than that. */
  pageMax?: number | undefined;
  /** Once, when it has run. A refusal where the answer must be withheld. */
  settle(ran: CallResult): Promise<Settled>;
}

/** What flow rules said, for telemetry alone; of nothing where it is absent. */
interface Heard {
  verdicts?: readonly FlowVerdict[] | undefined;
}

/** `isWindowFull`: the rate window had no room for the call. */
export type Admission = Outcome<Admitted> & Heard & { degraded?: boolean; isWindowFull?: boolean };
/** `later`: what the settlement behind the caller's back will bring, for which the request is kept alive; it never fails. */
export type Settled = Outcome<void> & Heard & { later?: Promise<readonly FlowVerdict[]> };

export interface Guard {
  admit(asked: GuardedCall): Promise<Admission>;
}

/** What a request's guard closes over. */
export interface GuardContext {
  policy: Policy;
  principal: Principal;
  windows: CallerNamespace;
  db: D1Database;
  secretKey: string;
  /** Of this server, as its clients reach it: confirmation links begin with it. */
  origin: string;
  protocol: string;
  client: string;
  /** Instead of the limits of the caller's roles. */
  limit?: Limit | undefined;
  /** The request's; without one each step has its own limit alone. */
  deadline?: Deadline | undefined;
  /** Of this isolate, for calls that take turns with others of their caller; absent for no limit. They need a deadline. */
  slots?: CallerSlots;
}

/** The guard of one request: local checks, then one admission by the caller's Durable Object. */
export function createGuard(context: GuardContext): Guard {
  const { policy, principal, slots, deadline } = context;
  const object = new CallerClient(context.windows, principal.id, deadline);
  let lost: Unreachable | undefined;
  // A batch asks an object that is out of reach once: each further wait would take the time of the calls behind it.
  const admitAll: AdmitAll = async (requests) => {
    if (lost !== undefined) throw lost;
    try {
      return await object.admit(requests);
    } catch (error) {
      if (slots !== undefined && error instanceof Unreachable) lost = error;
      throw error;
    }
  };
  const decide = (asked: readonly GuardedCall[]) => decideTogether(context, object, admitAll, asked);
  const turns =
    slots === undefined || deadline === undefined
      ? undefined
      : new Turns({ slots, caller: principal.id, deadline, decide });
  const decideOne = async (asked: GuardedCall): Promise<Admission> => {
    const [admission] = await decide([asked]);
    return admission ?? { ok: false, refusal: UNAVAILABLE };
  };
  return {
    async admit(asked) {
      const { target } = asked;
      if (isAnonymousDiscovery(principal, target))
        return admitDiscovery(context, localChecks(context, asked), Date.now());
      if (turns === undefined) return decideOne(asked);
      const isRefused = Object.values(localChecks(context, asked)).some((refusal) => refusal !== undefined);
      try {
        return await turns.admit({
          asked,
          isRefused,
          weight: weightOf(policy, target.bucket, target.name),
        });
      } catch (error) {
        if (error instanceof RequestOver) return { ok: false, refusal: refusalOfEnd(error) };
        throw error;
      }
    },
  };
}

type AdmitAll = CallerClient["admit"];

/** Decides calls with one message to the caller's object. */
async function decideTogether(
  context: GuardContext,
  object: CallerClient,
  admitAll: AdmitAll,
  calls: readonly GuardedCall[],
): Promise<Admission[]> {
  const { policy, principal, db, deadline } = context;
  const now = Date.now();
  const products = await catalogSize(db, now, deadline);
  const checked = calls.map((asked) => {
    const local = localChecks(context, asked);
    const crowded = isPaged(asked.target) ? crowdedPage(policy, principal, now) : undefined;
    const request = admissionRequest(context, asked, local, products);
    return {
      asked,
      local,
      crowded,
      request: crowded === undefined ? request : { ...request, attempt: shrink(request.attempt, crowded) },
    };
  });
  try {
    const answers = await admitAll(checked.map(({ request }) => request));
    return await Promise.all(
      checked.map((call, index) => admissionOf(context, object, call, answers[index])),
    );
  } catch (error) {
    if (error instanceof RequestOver) {
      const refusal = refusalOfEnd(error);
      return calls.map(() => ({ ok: false, refusal }));
    }
    if (!(error instanceof Unreachable)) throw error;
    return checked.map(({ asked, local }) => degrade(context, asked, local, error));
  }
}

/** What the object's answer means for the call. */
async function admissionOf(
  context: GuardContext,
  object: CallerClient,
  { asked, local, crowded }: { asked: GuardedCall; local: Local; crowded: number | undefined },
  answer: AdmissionAnswer | undefined,
): Promise<Admission> {
  if (answer === undefined) return { ok: false, refusal: UNAVAILABLE };
  if (answer.admitted) {
    const { seq, isCounted } = answer;
    const settleThis = async (ran: CallResult): Promise<Settled> =>
      isCounted ? ok(undefined) : settle(context, object, asked, seq, ran);
    // A change of who may call is counted before it is made, and is no answer that could be withheld.
    const refused =
      context.principal.roles.includes(ADMINISTRATION) && (await share(context, asked, ONE_CHANGE));
    if (refused) {
      await settleThis({ ...EMPTY_RESULT, outcome: refused.refusal.code, durationMs: 0 });
      return refused;
    }
    const { pageMax = crowded, verdicts } = answer;
    return { ...ok({ settle: settleThis, pageMax }), verdicts };
  }
  if (answer.stage === "rate") return { ...refuseRate(answer.retryAfterMs), isWindowFull: true };
  if (answer.stage === "flow")
    return { ...refuseFlow(answer.refusal, context.origin), verdicts: answer.verdicts };
  return { ok: false, refusal: local[answer.stage] ?? UNAVAILABLE };
}

const localChecks = ({ policy, principal }: GuardContext, { target, refused }: GuardedCall): Local => ({
  ...refused,
  permission: checkPermission(policy, principal, target),
});

const isPaged = ({ labels }: Target): boolean => labels?.cost.page !== undefined;

/** Admits what an anonymous caller asks before its first call, without an object of its own. */
function admitDiscovery({ policy, principal }: GuardContext, local: Local, now: number): Admission {
  const refusal = firstLocal(local);
  if (refusal !== undefined) return { ok: false, refusal };
  const wait = takeDiscovery(policy, principal, now);
  return wait > 0 ? refuseRate(wait) : ok({ settle: async () => ok(undefined) });
}

/** The first refusal of the Worker's own checks, in the guard's order. */
const firstLocal = (local: Local): Refusal | undefined =>
  local.signature ?? local.permission ?? local.arguments;

type Local = { [Stage in "signature" | "permission" | "arguments"]?: Refusal | undefined };

function admissionRequest(
  { policy, principal, secretKey, protocol, client, limit }: GuardContext,
  { correlationId, target, args, agreed }: GuardedCall,
  local: Local,
  products: number,
): AdmissionRequest {
  const { kind, name, bucket, labels } = target;
  const { roles } = principal;
  const { max, window_s } = limit ?? limitOf(policy, roles, bucket);
  return {
    principal: principal.id,
    refused: {
      ...(local.signature && { signature: local.signature.code }),
      ...(local.permission && { permission: local.permission.code }),
      ...(local.arguments && { arguments: local.arguments.code }),
    },
    limit: { max, windowMs: window_s * 1000 },
    retentionMs: policy.retention.audit_days * DAY_MS,
    attempt: {
      target: kind,
      name,
      bucket,
      weight: weightOf(policy, bucket, name),
      roles,
      digest: digestArguments(args, secretKey),
      arguments: redactArguments(policy, name, args),
      protocol,
      client,
      correlation_id: correlationId,
      // Refused arguments name nothing, and are of any length: 1 MB of ids would make a record of 4 MB.
      flow: labels ? describeArguments(labels, local.arguments ? {} : args, secretKey) : null,
      catalog_size: products,
    },
    ...(agreed && { agreed }),
    ...(labels?.cost.page && { isPaged: true }),
  };
}

/**
 * Public answers, and refusals that answer nothing, are settled after they have left. Personal ones are settled before, and are
 * withheld if that fails. So are answers that found nothing, which the rules may refuse, but those are given if settling fails.
 */
async function settle(
  context: GuardContext,
  object: CallerClient,
  asked: GuardedCall,
  attempt: number,
  { outcome, records, bytes, durationMs, tainted, canary, answer, ...ran }: CallResult,
): Promise<Settled> {
  const { secretKey, origin } = context;
  const {
    correlationId,
    target: { labels },
  } = asked;
  // Another refusal than "not found" answers nothing, and was no guess: nobody's data was read, whoever was named.
  const isAnswered = outcome === "ok" || outcome === "not_found";
  const missed = ran.missed || outcome === "not_found";
  const missing = objectTokens(ran.missing ?? [], secretKey);
  const seen = { missed, ...(missing.length > 0 && { missing }), tainted, canary };
  const settlement: Settlement = {
    attempt,
    outcome,
    records,
    bytes,
    duration_ms: Math.round(durationMs),
    flow:
      labels && isAnswered
        ? { ...touchedBy(labels, outcome === "ok" ? "results" : "hints", answer, secretKey), ...seen }
        : null,
  };
  const isPublic = labels === undefined || !isPersonal(labels);
  const refused = !isPublic && settlement.flow !== null && (await share(context, asked, settlement));
  if (refused) {
    await object
      .settle(withheldAs(settlement, refused.refusal))
      .catch((error: unknown) => logSettling(correlationId, error));
    return refused;
  }
  const overBudget = isPublic && (await countAnonymous(context, asked, settlement));
  if (overBudget) {
    const withheld = withheldAs(settlement, overBudget.refusal);
    waitUntil(object.settleLater(withheld).catch((error: unknown) => logSettling(correlationId, error)));
    return overBudget;
  }
  if (isPublic ? !(isAnswered && missed) : !isAnswered) {
    const later = object.settleLater(settlement).then(
      ({ verdicts = [] }) => verdicts,
      (error: unknown) => {
        logSettling(correlationId, error);
        return [];
      },
    );
    waitUntil(later);
    return { ...ok(undefined), later };
  }
  try {
    const settled = await object.settle(settlement);
    const { verdicts } = settled;
    return { ...(settled.given ? ok(undefined) : refuseFlow(settled.refusal, origin)), verdicts };
  } catch (error) {
    if (!isPublic && error instanceof RequestOver) return { ok: false, refusal: refusalOfEnd(error) };
    logSettling(correlationId, error);
    return isPublic ? ok(undefined) : { ok: false, refusal: UNAVAILABLE };
  }
}

/** The settlement of an answer that is not given: it read nothing. */
const withheldAs = (settlement: Settlement, { code }: Refusal): Settlement => ({
  ...settlement,
  outcome: code,
  records: 0,
  bytes: 0,
  flow: null,
});

const logSettling = (correlationId: string, error: unknown): void =>
  logSurprise(causeOf(error), { correlation_id: correlationId, what: "settle" });

type SharedSettlement = Omit<Settlement, "attempt">;

/** A change of who may call, as it is counted before it is made. */
const ONE_CHANGE: SharedSettlement = {
  outcome: "ok",
  records: 1,
  bytes: 0,
  duration_ms: 0,
  flow: { subjects: [], objects: [], missed: false, tainted: false, canary: false },
};

/** Counts a young caller's call against its makers' budgets; the refusal where they are used up, or can't be reached. */
async function share(
  context: GuardContext,
  asked: GuardedCall,
  settlement: SharedSettlement,
): Promise<(Refused & Heard) | undefined> {
  const { principal, db, origin } = context;
  if (principal.madeBy === undefined) return undefined;
  try {
    const products = await catalogSize(db, Date.now(), context.deadline);
    const admission = admissionRequest(context, { ...asked, agreed: undefined }, {}, products);
    const answer = await shareBudget(context, { admission, settlement });
    if (answer === "too-large") return { ok: false, refusal: UNAVAILABLE };
    return answer.given ? undefined : { ...refuseFlow(answer.refusal, origin), verdicts: answer.verdicts };
  } catch (error) {
    if (error instanceof RequestOver) return { ok: false, refusal: refusalOfEnd(error) };
    logSurprise(causeOf(error), { correlation_id: asked.correlationId, what: "shared budget" });
    return { ok: false, refusal: UNAVAILABLE };
  }
}

/** Counts the products of an anonymous caller's answer for its network; the refusal if the network has had too many. */
async function countAnonymous(
  context: GuardContext,
  asked: GuardedCall,
  settlement: SharedSettlement,
): Promise<(Refused & Heard) | undefined> {
  const { policy, principal, db, origin, deadline } = context;
  const { network } = principal;
  if (network === undefined || settlement.flow === null || settlement.flow.objects.length === 0)
    return undefined;
  const now = Date.now();
  try {
    const admission = admissionRequest(context, asked, {}, await catalogSize(db, now, deadline));
    const answer = await countForNetwork({ ...context, network }, { admission, settlement });
    if (!answer.given) return { ...refuseFlow(answer.refusal, origin), verdicts: answer.verdicts };
  } catch (error) {
    if (error instanceof RequestOver) return { ok: false, refusal: refusalOfEnd(error) };
    logSurprise(causeOf(error), { correlation_id: asked.correlationId, what: "network budget" });
    const products = settlement.flow.objects.length;
    if (error instanceof Overloaded || !mayGoOn(policy, network, { ...asked.target, products }, now))
      return { ok: false, refusal: UNAVAILABLE };
  }
  noteProducts(policy, settlement.flow.objects.length, now);
  return undefined;
}

/**
 * Decides a call while the Durable Object can't be reached: reads that the policy names go on within what an isolate may serve
 * unguarded, all others are refused. An object that its own caller keeps busy lets nothing go on: otherwise a caller could
 * switch its guard off.
 */
function degrade(
  { policy, principal, secretKey }: GuardContext,
  { correlationId, target, args }: GuardedCall,
  local: Local,
  error: Unreachable,
): Admission {
  logSurprise(error.cause, { correlation_id: correlationId, what: "admission" });
  const degraded = true;
  const refusal = firstLocal(local);
  if (refusal !== undefined) return { ok: false, refusal, degraded };
  const isOverloaded = error instanceof Overloaded;
  const products = target.labels ? productsAsked(target.labels, args, secretKey) : 0;
  const isServed = !isOverloaded && mayGoOn(policy, principal.id, { ...target, products }, Date.now());
  logEvent("guard_degraded", {
    correlation_id: correlationId,
    target: target.name,
    served: isServed,
    products: isServed ? products : 0,
    overloaded: isOverloaded || undefined,
  });
  return isServed
    ? { ...ok({ settle: async () => ok(undefined) }), degraded }
    : { ok: false, refusal: UNAVAILABLE, degraded };
}

/** The most products that an answer can hold: those that the arguments name, and those of the page that they ask for. */
function productsAsked(labels: Labels, args: unknown, key: string): number {
  const { objects, unnamed } = describeArguments(labels, args, key);
  return objects.length + unnamed.objects;
}

type Refused = { ok: false; refusal: Refusal };

/** The refusal of a request that ended before its answer. */
export const refusalOfEnd = ({ why, ms }: RequestOver): Refusal =>
  why === "time"
    ? { code: "timeout", message: `This took longer than ${ms} ms.` }
    : { code: "request_aborted", message: "The client closed the connection before the answer." };

export const UNAVAILABLE: Refusal = refuse("unavailable", "This can't be served right now.").refusal;

const refuseRate = (retryAfterMs: number): Refused =>
  refuse("rate_limited", `Too many calls; the next one can be made in ${retryAfterMs} ms.`, { retryAfterMs });

/** In neutral words: what a rule sees and how much it lets through is told to nobody who could use it. */
function refuseFlow(refused: FlowRefusal, origin: string): Refused {
  if (refused.verdict === "throttle") return refuseRate(refused.retryAfterMs);
  if (refused.verdict === "block") return refuse("flow_blocked", "This can't go on.");
  const url = `${origin}/confirm/${refused.incident}`;
  return refuse("confirmation_required", `A person has to confirm this: ${url} .`, {
    hints: { confirm_at: [url] },
    confirm: { url, form: refused.form, askedAt: refused.askedAt },
  });
}
