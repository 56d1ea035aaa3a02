import type { CallContext } from "../call-context.ts";
import { isTransient } from "../database/transient.ts";
import { type Deadline, RequestOver } from "../deadlines.ts";
import type { Signals } from "../detection/signals.ts";
import { EMPTY_RESULT, type Guard } from "../guard/guarded-call.ts";
import { UNAVAILABLE, refusalOfEnd } from "../guard/refusals.ts";
import type { Target } from "../guard/target.ts";
import type { Principal } from "../identity/principal.ts";
import type { Policy } from "../policy/schema.ts";
import type { Outcome, Refusal } from "../refusal.ts";
import { logSurprise } from "../telemetry/log.ts";
import type { Agreed } from "../caller/admission.ts";
import { holdsInstruction } from "../text/injection-scan.ts";
import { Unreachable, causeOf } from "../caller/caller-client.ts";

/** One message of one caller: what a handler needs to answer it. */
export interface Call {
  /** Names this call in its answer, in the audit and in the log. */
  correlationId: string;
  principal: Principal;
  policy: Policy;
  guard: Guard;
  context: CallContext;
  /** The request's, which all its calls share. */
  deadline: Deadline;
  secretKey: string;
  retry: Retry;
}

/** What a message of 2026-07-28 carries beside method and params for questions to its person (src/mcp/confirm.ts). */
export interface Retry {
  /** The reserved part of `_meta`, which says what the client can show; undefined on the 2025 revisions. */
  envelope: unknown;
  inputResponses: Record<string, unknown> | undefined;
  /** What was sealed in the `requestState` that came back; undefined where none did, or not a good one. */
  openState(): Promise<unknown>;
}

/** What a message asks for, looked up and checked, and not yet allowed. */
export interface Wanted<T> {
  target: Target;
  args: unknown;
  /** The work, or why it can't be begun with these arguments. */
  work: Outcome<Work<T>>;
  /** A form in the client that was accepted for this very call. */
  agreed?: Agreed | undefined;
}
export type Work<T> = (context: CallContext) => Promise<Outcome<T>>;

/** What of an answer is measured, and where its labels find their ids. */
export interface Measured extends Partial<Signals> {
  answer: unknown;
  records: number;
}

/** What the guard is told of an answer. */
export const seenIn = ({ tainted = false, ...seen }: Measured) => ({
  ...EMPTY_RESULT,
  ...seen,
  bytes: Buffer.byteLength(JSON.stringify(seen.answer), "utf8"),
  tainted: tainted || holdsInstruction(seen.answer),
});

/** Of a refusal of the work: its hints are answered too. */
export const seenInRefusal = ({ hints, missing }: Refusal) => ({
  ...EMPTY_RESULT,
  answer: hints,
  missing,
  tainted: holdsInstruction(hints),
});

/** Runs `work` for as long as the request lasts. A surprise becomes a refusal here; its cause is logged. */
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
