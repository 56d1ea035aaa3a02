import type { FlowRefusal } from "../caller/admission.ts";
import type { RequestOver } from "../deadlines.ts";
import { type Refusal, refuse } from "../refusal.ts";

export type Refused = { ok: false; refusal: Refusal };

export const UNAVAILABLE: Refusal = refuse("unavailable", "This can't be served right now.").refusal;

/** Returns the refusal of a request that ended before its answer. */
export const refusalOfEnd = ({ why, ms }: RequestOver): Refusal =>
  why === "time"
    ? { code: "timeout", message: `This took longer than ${ms} ms.` }
    : { code: "request_aborted", message: "The client closed the connection before the answer." };

export const refuseRate = (retryAfterMs: number): Refused =>
  refuse("rate_limited", `Too many calls; the next one can be made in ${retryAfterMs} ms.`, { retryAfterMs });

/** Names neither the rule nor its limit, because an attacker could use both. */
export function refuseFlow(refused: FlowRefusal, origin: string): Refused {
  if (refused.verdict === "throttle") return refuseRate(refused.retryAfterMs);
  if (refused.verdict === "block") return refuse("flow_blocked", "This can't go on.");
  const url = `${origin}/confirm/${refused.incident}`;
  return refuse("confirmation_required", `A person has to confirm this: ${url} .`, {
    hints: { confirm_at: [url] },
    confirm: { url, form: refused.form, askedAt: refused.askedAt },
  });
}
