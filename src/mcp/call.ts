import type { CallContext } from "../call-context.ts";
import { isTransient } from "../database/transient.ts";
import { type Deadline, RequestOver } from "../deadlines.ts";
import type { Signals } from "../detection/signals.ts";
import type { WriteSize } from "../detection/size.ts";
import { EMPTY_RESULT, type Guard } from "../guard/guarded-call.ts";
import { UNAVAILABLE, refusalOfEnd } from "../guard/refusals.ts";
import type { Target } from "../guard/target.ts";
import type { Principal } from "../identity/principal.ts";
import type { Policy } from "../policy/schema.ts";
import type { Outcome, Refusal } from "../refusal.ts";
import { logSurprise } from "../telemetry/log.ts";
import type { Assets } from "../public-files.ts";
import type { TraceContext } from "../telemetry/trace-context.ts";
import type { Agreed } from "../caller/admission.ts";
import { holdsInstruction } from "../text/injection-scan.ts";
import { Unreachable, causeOf } from "../unreachable.ts";

/** One message of one caller, with everything that a handler needs to answer it. */
export interface Call {
  /** Names this call in its answer, in the audit and in the log. */
  correlationId: string;
  principal: Principal;
  policy: Policy;
  guard: Guard;
  context: CallContext;
  /** Lets the context write, which a read ahead of its admission must not. */
  noteAdmitted: () => void;
  /** The request's deadline, which all its calls share. */
  deadline: Deadline;
  assets: Assets;
  /** Scheme, host and port by which clients reach this server. */
  origin: string;
  secretKey: string;
  retry: Retry;
  /** The caller's own trace, for the records of this call. */
  trace?: TraceContext | undefined;
}

/** Fields of a 2026-07-28 message for questions to the client's person (src/mcp/confirm.ts). */
export interface Retry {
  /** The reserved part of `_meta`, which lists what the client can show; undefined on the 2025 revisions. */
  envelope: unknown;
  inputResponses: Record<string, unknown> | undefined;
  /** Returns the sealed content of the `requestState` that came back; undefined if there was none or it is invalid. */
  openState(): Promise<unknown>;
}

/** A message's target, looked up and checked but not yet allowed. */
export interface Wanted<T> {
  target: Target;
  args: unknown;
  /** The work, or the reason why it cannot start with these arguments. */
  work: Outcome<Work<T>>;
  /** A form in the client that was accepted for this very call. */
  agreed?: Agreed | undefined;
  /** Plans how much the work would change, before the guard decides; only of writes that have an amount. */
  measure?: ((context: CallContext) => Promise<WriteSize>) | undefined;
}
export type Work<T> = (context: CallContext) => Promise<Outcome<T>>;

/** The parts of an answer that the guard measures, with the value in which its labels find their ids. */
export interface Measured extends Partial<Signals> {
  answer: unknown;
  records: number;
}

/** Builds the guard's view of an answer. */
export const seenIn = ({ tainted = false, ...seen }: Measured) => ({
  ...EMPTY_RESULT,
  ...seen,
  bytes: Buffer.byteLength(JSON.stringify(seen.answer), "utf8"),
  tainted: tainted || holdsInstruction(seen.answer),
});

/** Builds the guard's view of a refusal: its hints are sent to the caller too. */
export const seenInRefusal = ({ hints, missing }: Refusal) => ({
  ...EMPTY_RESULT,
  answer: hints,
  missing,
  tainted: holdsInstruction(hints),
});

/** Runs `work` for as long as the request lasts. An unexpected error becomes a refusal, and its cause is logged. */
export async function attempt<T>(
  call: Pick<Call, "correlationId" | "deadline">,
  what: string,
  work: () => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  try {
    return await call.deadline.run(work);
  } catch (error) {
    return { ok: false, refusal: reportUnexpected(error, call, what) };
  }
}

/** Returns the refusal that stands for an error, and logs the error unless it is the end of the request. */
export function reportUnexpected(
  error: unknown,
  { correlationId }: Pick<Call, "correlationId">,
  what: string,
): Refusal {
  if (error instanceof RequestOver) return refusalOfEnd(error);
  logSurprise(causeOf(error), { correlation_id: correlationId, what });
  if (error instanceof Unreachable) return UNAVAILABLE;
  if (isTransient(error)) return { code: "unavailable", message: "The catalog can't be reached right now." };
  return { code: "internal", message: "Something went wrong on the server." };
}
