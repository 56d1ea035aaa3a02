import { waitUntil } from "cloudflare:workers";
import type { AppContext } from "../app-types.ts";
import { catalogSize } from "../guard/catalog-size.ts";
import { createGuard } from "../guard/guard.ts";
import { type Admitted, EMPTY_RESULT, type Guard, type GuardedCall } from "../guard/guarded-call.ts";
import { UNAVAILABLE } from "../guard/refusals.ts";
import { ADMINISTRATION } from "../detection/event.ts";
import { NOWHERE } from "../detection/labels.ts";
import type { Principal } from "../identity/principal.ts";
import type { Refusal } from "../refusal.ts";
import { causeOf } from "../unreachable.ts";
import { logSurprise } from "../telemetry/log.ts";

// The guard checks what an admin changes as it checks calls: it records each change in the admin's own audit, and the flow rule
// admin-writes counts it (policy.json).

/** A change that an admin makes. `gives` is refused once the budget is used up, and so is erasing, which takes evidence away. `takes`
 * is counted but never refused. */
export type AdminWrite =
  | {
      gives:
        | "users.add"
        | "users.roles"
        | "users.enable"
        | "users.vouch"
        | "keys.create"
        | "signing-keys.create"
        | "stock.undo"
        | "feeds.add"
        | "feeds.run"
        | "feeds.resume"
        | "deliveries.apply"
        | "uploads.add"
        | "audit.erase";
    }
  | {
      takes:
        | "users.roles"
        | "users.disable"
        | "users.delete"
        | "keys.revoke"
        | "signing-keys.revoke"
        | "feeds.pause"
        | "feeds.remove"
        | "deliveries.discard";
    };

const LABELS: GuardedCall["target"]["labels"] = {
  classes: [],
  kinds: ["write"],
  subjects: NOWHERE,
  objects: NOWHERE,
  cost: { records: 1, bytes: 0 },
};

/**
 * Counts a change before it is made, and records `args` as the policy redacts them. Returns the refusal if the change must not
 * be made.
 */
export async function countWrite(
  c: AppContext,
  principal: Principal,
  write: AdminWrite,
  args: object = {},
): Promise<Refusal | undefined> {
  if ("gives" in write) return admitWrite(c, principal, write.gives, args);
  const counted = admitWrite(c, principal, write.takes, args).catch((error: unknown) =>
    logSurprise(causeOf(error), { what: "admin write" }),
  );
  waitUntil(counted);
  return undefined;
}

async function admitWrite(
  c: AppContext,
  principal: Principal,
  name: string,
  args: object,
): Promise<Refusal | undefined> {
  const { correlationId } = c.var;
  const target: GuardedCall["target"] = {
    kind: "request",
    name: `admin.${name}`,
    bucket: "discovery",
    access: undefined,
    labels: LABELS,
  };
  const guard = await guardOf(c, principal);
  const admission = await guard.admit({ correlationId, target, args, refused: {} });
  if (!admission.ok) return admission.refusal;
  const isCounted = admission.degraded !== true;
  await settleWrite(admission.value, isCounted);
  // The guard admits discovery without the caller's object, but a change must not be made uncounted.
  return isCounted ? undefined : UNAVAILABLE;
}

const settleWrite = (admitted: Admitted, isCounted: boolean) =>
  admitted.settle({
    ...EMPTY_RESULT,
    records: 1,
    outcome: isCounted ? "ok" : "unavailable",
    durationMs: 0,
  });

async function guardOf(c: AppContext, principal: Principal): Promise<Guard> {
  const { policy, secretKey, origin } = c.var;
  return createGuard({
    policy,
    principal: { ...principal, roles: [...principal.roles, ADMINISTRATION] },
    db: c.env.DB,
    catalogSize: await catalogSize(c.env.DB, Date.now(), c.var.deadline),
    callers: c.env.USER_WINDOWS,
    deadline: c.var.deadline,
    origin,
    secretKey,
    protocol: "unsaid",
    client: "",
  });
}
