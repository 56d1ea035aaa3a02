import { createMiddleware } from "hono/factory";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { Pace } from "../../guard/pace.ts";
import { callerByAddress } from "../../identity/caller-address.ts";
import { isSigned } from "../../identity/signature.ts";
import { bearerCredential } from "./bearer-credential.ts";
import { isOpenLocally } from "../hosts.ts";
import { refuseRequest } from "../refuse-request.tsx";
import { UCP_PATH } from "../well-known.ts";
import { tooMany } from "./failed-credentials.ts";

const pace = new Pace({ burst: 2, everyMs: 30 });
/** Share of the request's deadline that it may wait; the rest is for its work. */
const WAIT_SHARE = 0.7;

/**
 * Lets the requests of one key, token or anonymous address start one after another, before anything is looked up for them.
 * A request that will be told to sign in does not wait. Throws RequestOver if the request ends while it waits.
 */
export const paceRequests = createMiddleware<AppTypes>(async (c, next) => {
  const caller = callerOf(c);
  if (caller === undefined) return next();
  const { waitMs, isTooLong } = pace.next(caller, Date.now(), WAIT_SHARE * c.var.deadline.ms);
  if (isTooLong) return refuseRequest(c, tooMany(waitMs));
  if (waitMs > 0) await c.var.deadline.run(() => new Promise<void>((resolve) => setTimeout(resolve, waitMs)));
  return next();
});

/** Names whoever will be served: an anonymous address has a pace of its own for each path. */
function callerOf(c: AppContext): string | undefined {
  const credential = bearerCredential(c);
  if (c.req.path !== "/mcp/public" && credential !== undefined) return credential;
  const isServedUnknown =
    c.req.path === "/mcp/public" ||
    (c.req.path === UCP_PATH && (c.var.settings.PUBLIC_CATALOG === "on" || isSigned(c.req.raw.headers))) ||
    isOpenLocally(c.var);
  return isServedUnknown ? `${c.req.path} ${callerByAddress(c).id}` : undefined;
}
