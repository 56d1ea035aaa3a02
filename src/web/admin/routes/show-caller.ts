import type { AppContext } from "../../../app-types.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { mayDecideHere } from "../../../identity/who-may.ts";
import { limitOf } from "../../../policy/roles.ts";
import { CallerClient } from "../../../caller/caller-client.ts";
import { openIncidentsOf } from "../../../incidents/incident-list.ts";
import { type Caller, findCaller, rolesOf } from "../../../admin/caller-list.ts";
import { callerPage } from "../caller-page.tsx";
import { notFoundPage } from "../admin-page.tsx";

/** Answers with a caller's page, and the message after a change. */
export async function showCaller(
  c: AppContext,
  admin: SignedIn,
  caller: Caller,
  message: string | undefined,
  status?: 409,
) {
  const { policy } = c.var;
  const roles = rolesOf(caller);
  const limits = {
    calls: limitOf(policy, roles, "calls"),
    discovery: limitOf(policy, roles, "discovery"),
  };
  const [overview, incidents] = await Promise.all([
    new CallerClient(c.env.USER_WINDOWS, caller.id).overview({
      calls: limits.calls.window_s * 1000,
      discovery: limits.discovery.window_s * 1000,
    }),
    openIncidentsOf(c.env.DB, caller.id),
  ]);
  return callerPage({
    admin,
    adminId: admin.user.userId,
    caller,
    overview,
    limits,
    incidents,
    rules: policy.rules,
    minutes: policy.confirmation.minutes,
    mayDecide: await mayDecideHere(c, admin, caller.id),
    now: Date.now(),
    message,
    ...(status !== undefined && { status }),
  });
}

/** Passes on the user that the path names. Anonymous callers and deleted users can't be changed. */
export function withUser(
  handle: (c: AppContext, admin: SignedIn, caller: Caller) => Response | Promise<Response>,
) {
  return withCaller((c, admin, caller) =>
    caller.name === null || caller.deleted_at !== null
      ? showCaller(c, admin, caller, "Only existing users can be changed.", 409)
      : handle(c, admin, caller),
  );
}

/** Passes on the caller that the path names, or answers 404. */
export function withCaller(
  handle: (c: AppContext, admin: SignedIn, caller: Caller) => Response | Promise<Response>,
) {
  return async (c: AppContext, admin: SignedIn): Promise<Response> => {
    const caller = await findCaller(c.env.DB, c.req.param("id") ?? "", Date.now());
    return caller === undefined ? notFoundPage(admin, "/admin/callers") : handle(c, admin, caller);
  };
}
