import * as z from "zod";
import type { AppContext } from "../app-types.ts";
import { runBatch } from "../database/run-batch.ts";
import { hasKey } from "../identity/access-keys.ts";
import { type NewKey, createKey, revokeKey } from "../identity/administration.ts";
import { forgetIdentity, noteIdentity, noteRemoval } from "../identity/changes.ts";
import { keepingAnAdmin } from "../identity/last-admin.ts";
import type { Principal } from "../identity/principal.ts";
import { revokeSigningKey } from "../identity/signing-keys.ts";
import { findUser } from "../identity/users.ts";
import { type Outcome, type Refusal, ok, refuse } from "../refusal.ts";
import { LAST_ADMIN } from "./accounts.ts";
import { countWrite } from "./admin-writes.ts";
import { makerOf } from "./maker.ts";

// The changes that an admin makes to keys, for the admin API and the dashboard.

/** Makes an access key. The secret is in the answer alone. */
export async function makeKey(
  c: AppContext,
  admin: Principal,
  wanted: NewKey,
): Promise<Outcome<{ id: string; secret: string; expiresAt: number | null }>> {
  const maker = await makerOf(c.env.DB, admin.id, wanted.recovery_code);
  const refused =
    (await refuseKey(c, wanted)) ??
    (wanted.id !== undefined && (await hasKey(c.env.DB, wanted.id)) ? SENT_BEFORE : undefined) ??
    maker.refusal ??
    (await countWrite(c, admin, { gives: "keys.create" }));
  if (refused !== undefined) return { ok: false, refusal: refused };
  const { id, secret, expiresAt, statement } = createKey(wanted, Date.now(), maker);
  const added = { change: "key_added", key: id, roles: wanted.roles ?? null, by: admin.id } as const;
  await noteIdentity(c.env.USER_WINDOWS, wanted.user, added, "before");
  try {
    await runBatch(c.env.DB, [statement]);
  } catch (error) {
    // Two sendings of one form may both find no key.
    if (await hasKey(c.env.DB, id)) return { ok: false, refusal: SENT_BEFORE };
    throw error;
  }
  return ok({ id, secret, expiresAt });
}

const SENT_BEFORE = refuse(
  "conflict",
  "This form was sent before, and made its key. The key can't be shown again: revoke it if nobody has it, and make another.",
).refusal;

/** Returns a refusal if the user of a new key is missing, disabled, or lacks one of its roles. */
export async function refuseKey(
  c: AppContext,
  { user, roles = [] }: { user: string; roles?: string[] | undefined },
): Promise<Refusal | undefined> {
  const found = await findUser(c.env.DB, user);
  if (found === undefined) return refuse("not_found", "There is no such user.").refusal;
  if (found.isDisabled) return refuse("conflict", "The user is disabled; enable it first.").refusal;
  if (roles.every((role) => found.roles.includes(role))) return undefined;
  const has = found.roles.join(", ") || "no role";
  return refuse("invalid_arguments", `roles: narrows those of the user, who has ${has}.`).refusal;
}

const KINDS = {
  access_keys: { statements: revokeKey, change: "key_revoked", takes: "keys.revoke" },
  signing_keys: {
    statements: revokeSigningKey,
    change: "signing_key_revoked",
    takes: "signing-keys.revoke",
  },
} as const;

const keyRow = z.object({ user_id: z.string(), revoked_at: z.int().nullable() });

/**
 * Revokes a key, unless it is the last way in for an admin. A key that is already revoked gets no second record; the value says
 * when it was revoked, in milliseconds since the epoch.
 */
export async function revokeAnyKey(
  c: AppContext,
  admin: Principal,
  kind: keyof typeof KINDS,
  id: string,
): Promise<Outcome<{ user: string; revokedAt: number | null }>> {
  const row = await c.env.DB.prepare(`SELECT user_id, revoked_at FROM ${kind} WHERE id = ?`).bind(id).first();
  if (row === null) return refuse("not_found", "There is no key of that id.");
  const { user_id: user, revoked_at: revokedAt } = keyRow.parse(row);
  if (revokedAt !== null) {
    // The first attempt may not have reached the user's object.
    await forgetIdentity(c.env.USER_WINDOWS, user);
    return ok({ user, revokedAt });
  }
  const now = Date.now();
  const { statements, change, takes } = KINDS[kind];
  if ((await keepingAnAdmin(c.env.DB, statements(id, now), { key: id }, now)) === undefined)
    return { ok: false, refusal: LAST_ADMIN };
  await noteRemoval(c.env.USER_WINDOWS, user, { change, key: id, by: admin.id });
  await countWrite(c, admin, { takes });
  return ok({ user, revokedAt });
}
