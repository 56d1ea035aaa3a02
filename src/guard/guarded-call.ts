import type { Agreed } from "../caller/admission.ts";
import type { CallerNamespace } from "../caller/caller-do.ts";
import type { Deadline } from "../deadlines.ts";
import type { Signals } from "../detection/signals.ts";
import type { WriteSize } from "../detection/size.ts";
import type { IdentityClaim } from "../identity/kept-identities.ts";
import type { Principal } from "../identity/principal.ts";
import type { Limit, Policy } from "../policy/schema.ts";
import type { Outcome, Refusal } from "../refusal.ts";
import type { RefusalCode } from "../refusal-codes.ts";
import type { FlowVerdict } from "../telemetry/call-record.ts";
import type { TraceContext } from "../telemetry/trace-context.ts";
import type { Target } from "./target.ts";

/** Decides the calls of one request. */
export interface Guard {
  admit(call: GuardedCall): Promise<Admission>;
  /** The longest wait of any refusal so far, in milliseconds; undefined if none asked to wait. */
  readonly longestWaitMs: number | undefined;
}

/** The request that a guard belongs to, and its caller. */
export interface GuardContext {
  policy: Policy;
  principal: Principal;
  /** The claim that the principal is the present one; absent if it needs no confirmation. */
  claim?: IdentityClaim | undefined;
  callers: CallerNamespace;
  db: D1Database;
  /** Active products, which some flow rules use (catalog-size.ts). */
  catalogSize: number;
  secretKey: string;
  /** Scheme, host and port that clients use; confirmation links begin with it. */
  origin: string;
  protocol: string;
  client: string;
  /** Replaces the limits of the caller's roles. */
  limit?: Limit | undefined;
  /** The request's deadline. Without one, each step has only its own limit. */
  deadline?: Deadline | undefined;
  /** Whether the request holds several calls. */
  isBatch?: boolean;
  /** How many calls of the request run at the same time; absent for no limit. It needs a deadline. */
  atOnce?: number;
}

/** One call as the guard sees it. */
export interface GuardedCall {
  correlationId: string;
  target: Target;
  args: unknown;
  /** Refusals that the Worker found before it asked the guard. */
  refused: { signature?: Refusal | undefined; arguments?: Refusal | undefined };
  /** A form in the client that was accepted for this very call (src/mcp/confirm.ts). */
  agreed?: Agreed | undefined;
  /** The caller's own trace, for the records of this call only. */
  trace?: TraceContext | undefined;
  /** Plans how much the call would change; throws if that can't be known, and then the call can't run. */
  size?: (() => Promise<WriteSize>) | undefined;
  /** Begins the work; its answer is withheld until the call is admitted. The guard may do so once (read-ahead.ts). */
  runAhead?: (() => void) | undefined;
}

/**
 * `degraded`: the caller's object could not be reached. `isWindowFull`: the rate window had no room for the call. `isStale`: the
 * request was made with a former identity, so nothing was decided or recorded.
 */
export type Admission = Outcome<Admitted> &
  RuleVerdicts & { degraded?: boolean; isWindowFull?: boolean; isStale?: boolean };

/** A call that may run. */
export interface Admitted {
  /** The most records that the call may answer. */
  pageMax?: number | undefined;
  /** Must be called once, when the call has run. A refusal says that the answer must be withheld. */
  settle(result: CallResult): Promise<Settled>;
}

/** The result of a call that has run. */
export interface CallResult extends Signals {
  /** `ok`, or the code of the refusal that the call ended in. */
  outcome: "ok" | RefusalCode;
  bytes: number;
  durationMs: number;
  /** The answer, or the hints of a refusal. The target's labels point at the ids in it. */
  answer: unknown;
}

/** The result of a call that answered nothing. */
export const EMPTY_RESULT: Omit<CallResult, "outcome" | "durationMs"> = {
  answer: undefined,
  records: 0,
  bytes: 0,
  missed: false,
  tainted: false,
  canary: false,
};

/** `later`: the verdicts of a settlement that the caller does not wait for. It keeps the request alive and never rejects. */
export type Settled = Outcome<void> & RuleVerdicts & { later?: Promise<readonly FlowVerdict[]> };

/** Verdicts of flow rules, for telemetry only; absent if no rule matched. */
export interface RuleVerdicts {
  verdicts?: readonly FlowVerdict[] | undefined;
}
