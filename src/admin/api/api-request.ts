import type { Context } from "hono";
import type { AppTypes } from "../../app-types.ts";
import { type Noted, noteIdentity } from "../../identity/changes.ts";
import type { Principal } from "../../identity/principal.ts";
import { type Refusal, refusalDetails, refusalHeaders } from "../../refusal.ts";
import { type RefusalCode, refusals } from "../../refusal-codes.ts";
import { requestRefused } from "../../telemetry/sink.ts";
import type { NoteOrder } from "../../caller/caller-client.ts";

// Helpers that all routes of the admin API share: they read a request, answer it, and record its changes.

declare module "hono" {
  interface ContextVariableMap {
    /** The admin whose access key the request has; requireAdmin sets it. */
    admin: Principal;
  }
}
export type ApiContext = Context<AppTypes>;

/** The admin who made the request. Throws if requireAdmin did not run. */
export function adminOf(c: ApiContext): Principal {
  const { admin } = c.var;
  if (admin === undefined) throw new Error("A route of the admin API ran before its middleware.");
  return admin;
}

/** The body as JSON; null if it is not JSON. */
export async function body(c: ApiContext): Promise<unknown> {
  return c.req.json<unknown>().catch(() => null);
}

/** Refusal codes that this API logs and counts. The guard and the signature check log and count theirs. */
const OWN_CODES: ReadonlySet<RefusalCode> = new Set([
  "unauthenticated",
  "permission_denied",
  "invalid_arguments",
  "not_found",
  "conflict",
]);

/** Answers with a refusal and its HTTP status. */
export function answer(c: ApiContext, refusal: Refusal): Response {
  if (OWN_CODES.has(refusal.code)) requestRefused(refusal.code, c.var);
  const { http: status } = refusals[refusal.code];
  if (status === 401) c.header("WWW-Authenticate", 'Bearer realm="admin"');
  const retryAfter = refusalHeaders(refusal).get("Retry-After");
  if (retryAfter !== null) c.header("Retry-After", retryAfter);
  return c.json({ error: refusal.message, ...refusalDetails(refusal, c.var.correlationId) }, status);
}

/** Milliseconds since the epoch as ISO 8601. */
export const isoTime = (time: number | null) => (time === null ? null : new Date(time).toISOString());

/** Records a change of a principal in its audit, with the admin who made it. */
export const note = (
  c: ApiContext,
  principal: string,
  change: Omit<Noted, "by">,
  when: NoteOrder = "before",
): Promise<void> => noteIdentity(c.env.USER_WINDOWS, principal, { ...change, by: adminOf(c).id }, when);
