import { waitUntil } from "cloudflare:workers";
import { createMiddleware } from "hono/factory";
import type { AppContext, AppTypes } from "../app-types.ts";
import { Deadline, RequestOver } from "../deadlines.ts";
import { readSettings } from "../env.ts";
import { refusalOfEnd } from "../guard/refusals.ts";
import { refuseRequest } from "./refuse-request.tsx";

/** Paths that may contact somebody else's server: the sign-in provider, or the one where a client describes itself. */
const ASKS_OTHERS = new Set(["/authorize", "/oauth/token", "/sign-on/start", "/sign-on/callback"]);
/** Milliseconds for a request while the settings are invalid. It is refused at once. */
const UNSET_MS = 5_000;
/** Milliseconds for /readyz. A load balancer soon asks again. */
export const READY_MS = 2_000;

/**
 * Gives every request its name and its one deadline. A request that is not answered by then is refused here. If the
 * client disconnects, the request's work ends, and what it did is still recorded.
 */
export const beginRequest = createMiddleware<AppTypes>(async (c, next) => {
  // Never the client's own X-Request-Id, because two requests with one name would be mixed up in the audit.
  c.set("correlationId", crypto.randomUUID());
  const deadline = new Deadline(timeFor(c));
  c.set("deadline", deadline);
  const running = next();
  c.req.raw.signal.addEventListener("abort", () => {
    const kept = deadline.abandon();
    waitUntil(isRead(c) ? kept : Promise.allSettled([kept, running]));
  });
  try {
    await deadline.answer(() => running);
  } catch (error) {
    if (!(error instanceof RequestOver)) throw error;
    // Work that changes something is finished and recorded after the answer.
    if (!isRead(c)) waitUntil(running);
    c.res = await refuseRequest(c, refusalOfEnd(error));
  }
  c.header("X-Request-Id", c.var.correlationId);
  c.header("X-Content-Type-Options", "nosniff");
});

function timeFor(c: AppContext): number {
  const { path } = c.req;
  if (path === "/readyz") return READY_MS;
  const read = readSettings(c.env);
  if (!read.ok) return UNSET_MS;
  const { CALL_DEADLINE_MS, OUTBOUND_DEADLINE_MS } = read.settings;
  return ASKS_OTHERS.has(path) ? OUTBOUND_DEADLINE_MS : CALL_DEADLINE_MS;
}

const isRead = (c: AppContext): boolean => c.req.method === "GET" || c.req.method === "HEAD";
