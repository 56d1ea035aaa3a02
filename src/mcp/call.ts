import { type Principal, mayUse } from "../identity/principal.ts";
import type { Scope } from "../identity/scopes.ts";
import { isTransient } from "../database/transient.ts";
import { type Outcome, type Refusal, refuse } from "../refusal.ts";
import { logSurprise } from "../telemetry/log.ts";
import type { CallContext } from "../call-context.ts";

/** One message of one caller: what a handler needs to answer it. */
export interface Call {
  /** Names this call in its answer and in the log. */
  correlationId: string;
  principal: Principal;
  context: CallContext;
  deadlineMs: number;
}

/** Runs `work` against the call's deadline. A surprise becomes a refusal here; its cause is logged. */
export async function attempt<T>(
  call: Call,
  what: string,
  work: () => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<Outcome<T>>((resolve) => {
    const expire = () => resolve(refuse("timeout", `This took longer than ${call.deadlineMs} ms.`));
    timer = setTimeout(expire, call.deadlineMs);
  });
  try {
    return await Promise.race([work(), deadline]);
  } catch (error) {
    return { ok: false, refusal: surprise(error, call, what) };
  } finally {
    clearTimeout(timer);
  }
}

/** Logs an unexpected error and gives the refusal that stands for it. */
export function surprise(
  error: unknown,
  { correlationId }: Pick<Call, "correlationId">,
  what: string,
): Refusal {
  logSurprise(error, { correlation_id: correlationId, what });
  if (isTransient(error)) return { code: "unavailable", message: "The catalog can't be reached right now." };
  return { code: "internal", message: "Something went wrong on the server." };
}

/** The refusal of a caller who lacks a scope; undefined for one who has it. */
export function refuseScope(principal: Principal, scope: Scope): Refusal | undefined {
  if (mayUse(principal, scope)) return undefined;
  const { refusal } = refuse("permission_denied", "The caller may not use this.", {
    hints: { scopes: [scope] },
  });
  return refusal;
}
