import { createMiddleware } from "hono/factory";
import type { AppTypes } from "../../app-types.ts";
import { Pace } from "../../guard/pace.ts";
import { callerByAddress } from "../../identity/caller-address.ts";
import { hashSecret } from "../../identity/secrets.ts";
import { refuseRequest } from "../refuse-request.tsx";
import { tooMany } from "./failed-credentials.ts";

const pace = new Pace({ burst: 2, everyMs: 30, waitMaxMs: 4_000 });

/**
 * Lets the requests of one key, token or anonymous address start one after another, before anything is looked up for them.
 * Throws RequestOver if the request ends while it waits.
 */
export const paceRequests = createMiddleware<AppTypes>(async (c, next) => {
  const authorization = c.req.header("authorization");
  const caller = authorization === undefined ? callerByAddress(c).id : hashSecret(authorization);
  const { waitMs, isTooLong } = pace.next(caller, Date.now());
  if (isTooLong) return refuseRequest(c, tooMany(waitMs));
  if (waitMs > 0) await c.var.deadline.run(() => new Promise<void>((resolve) => setTimeout(resolve, waitMs)));
  return next();
});
