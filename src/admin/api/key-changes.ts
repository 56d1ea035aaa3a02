import * as z from "zod";
import type { revokeKey } from "../../identity/administration.ts";
import { forgetIdentity, noteRemoval } from "../../identity/changes.ts";
import { keepingAnAdmin } from "../../identity/last-admin.ts";
import { findUser } from "../../identity/users.ts";
import { type Refusal, refuse } from "../../refusal.ts";
import type { Change } from "../../caller/audit/records.ts";
import { countWrite } from "../admin-writes.ts";
import { type ApiContext, LAST_ADMIN, adminOf, answer, isoTime } from "./api-request.ts";

// Checks that access keys and signing keys share.

/** Returns a refusal if the user of a new key is missing, disabled, or lacks one of its roles. */
export async function refuseKey(
  c: ApiContext,
  { user, roles = [] }: { user: string; roles?: string[] | undefined },
): Promise<Refusal | undefined> {
  const found = await findUser(c.env.DB, user);
  if (found === undefined) return refuse("not_found", "There is no such user.").refusal;
  if (found.isDisabled) return refuse("conflict", "The user is disabled; enable it first.").refusal;
  if (roles.every((role) => found.roles.includes(role))) return undefined;
  const has = found.roles.join(", ") || "no role";
  return refuse("invalid_arguments", `roles: narrows those of the user, who has ${has}.`).refusal;
}

const keyRow = z.object({ user_id: z.string(), revoked_at: z.int().nullable() });

/**
 * Revokes the key that the path names, unless it is the last way in for an admin. A key that is already revoked gets no second
 * record; the answer says when it was revoked.
 */
export async function revoke(
  c: ApiContext,
  table: "access_keys" | "signing_keys",
  as: Change["change"],
  statements: typeof revokeKey,
): Promise<Response> {
  const id = c.req.param("id") ?? "";
  const row = await c.env.DB.prepare(`SELECT user_id, revoked_at FROM ${table} WHERE id = ?`)
    .bind(id)
    .first();
  if (row === null) return answer(c, refuse("not_found", "There is no key of that id.").refusal);
  const { user_id: user, revoked_at: revokedAt } = keyRow.parse(row);
  if (revokedAt !== null) {
    // The first attempt may not have reached the user's object.
    await forgetIdentity(c.env.USER_WINDOWS, user);
    return c.json({ id, revoked_at: isoTime(revokedAt) });
  }
  const now = Date.now();
  if ((await keepingAnAdmin(c.env.DB, statements(id, now), { key: id }, now)) === undefined)
    return answer(c, LAST_ADMIN);
  await noteRemoval(c.env.USER_WINDOWS, user, { change: as, key: id, by: adminOf(c).id });
  await countWrite(c, adminOf(c), {
    takes: table === "access_keys" ? "keys.revoke" : "signing-keys.revoke",
  });
  return c.json({ id });
}
