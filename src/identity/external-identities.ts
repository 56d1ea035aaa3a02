import { randomBytes } from "node:crypto";
import * as z from "zod";
import { runBatch } from "../database/run-batch.ts";
import type { CallerNamespace } from "../caller/caller-do.ts";
import { setRoles } from "./administration.ts";
import { SIGN_ON } from "./lineage.ts";
import { isLastAdmin, keepingAnAdmin } from "./last-admin.ts";
import { type Noted, forgetIdentity, noteIdentity, noteRemoval } from "./changes.ts";
import { type Person, userIdOf } from "./sign-on/person.ts";
import { type Found, USER_COLUMNS, identified, userRow } from "./users.ts";

// Links people at the sign-in provider to users of this server.

const DAY_MS = 24 * 60 * 60 * 1000;

const identityRow = userRow.extend({ expires_at: z.int() });

/** Returns the user of an identity, or why it is refused. */
export async function findIdentity(db: D1Database, identityId: string, now: number): Promise<Found> {
  const row = await db
    .prepare(
      `SELECT ${USER_COLUMNS}, e.expires_at FROM external_identities e JOIN users u ON u.id = e.user_id WHERE e.id = ?`,
    )
    .bind(identityId)
    .first();
  if (row === null) return { ok: false, problem: "sign_in_unknown" };
  const { expires_at, ...user } = identityRow.parse(row);
  if (expires_at <= now) return { ok: false, problem: "sign_in_expired" };
  return identified(user, now, { narrowed: null, signature: "optional", expiresAt: expires_at });
}

export type SignOn = { ok: true; identityId: string } | { ok: false; problem: "user_disabled" | "no_role" };

const linkRow = z.object({ id: z.string() });
const linkedRow = z.object({ id: z.string(), name: z.string() });

/** Returns the identity of a person who has signed in before, valid or not, with the user's name. */
export async function linkedIdentity(
  db: D1Database,
  { issuer, subject }: Pick<Person, "issuer" | "subject">,
): Promise<z.output<typeof linkedRow> | undefined> {
  const row = await db
    .prepare(
      `SELECT e.id, u.name FROM external_identities e JOIN users u ON u.id = e.user_id
       WHERE e.issuer = ? AND e.subject = ?`,
    )
    .bind(issuer, subject)
    .first();
  return row === null ? undefined : linkedRow.parse(row);
}

interface Recording {
  callers: CallerNamespace;
  validDays: number;
  /** Whether the policy makes some group's people admins. If so, the provider can restore an admin that it removed. */
  bringsAdmin: boolean;
  now: number;
}

/**
 * Creates or updates the user as the provider and the policy say. A first sign-in creates the user; a later one may
 * change the roles. A person without a role keeps no other access either. The last admin stays admin if no group would
 * make another.
 */
export async function recordSignOn(db: D1Database, person: Person, recording: Recording): Promise<SignOn> {
  const { callers, validDays, bringsAdmin, now } = recording;
  const { issuer, subject, name, customerId } = person;
  const known = await db
    .prepare(
      `SELECT ${USER_COLUMNS} FROM users u WHERE u.id = coalesce(
        (SELECT user_id FROM external_identities WHERE issuer = ?1 AND subject = ?2), ?3)`,
    )
    .bind(issuer, subject, userIdOf(person))
    .first();
  const user = known === null ? undefined : userRow.parse(known);
  if (user !== undefined && user.disabled_at !== null) return { ok: false, problem: "user_disabled" };
  const userId = user?.user_id ?? userIdOf(person);
  const losesAdmin = user?.user_roles.includes("admin") === true && !person.roles.includes("admin");
  const mustKeep = losesAdmin && !bringsAdmin;
  const isKept = mustKeep && (await isLastAdmin(db, userId, now));
  const roles = isKept ? [...person.roles, "admin"] : person.roles;
  const maker = { by: SIGN_ON, now };
  // This may be the last admin: the other one may have been removed in the meantime.
  const setRolesKept = (given: readonly string[]) =>
    mustKeep && !isKept
      ? keepingAnAdmin(db, setRoles(userId, given, maker), { user: userId }, now)
      : runBatch(db, setRoles(userId, given, maker));
  const note = (change: Omit<Noted, "by">) =>
    noteIdentity(callers, userId, { ...change, by: SIGN_ON }, "before");
  if (roles.length === 0) {
    if (user === undefined) return { ok: false, problem: "no_role" };
    if ((await setRolesKept([])) === undefined) return recordSignOn(db, person, recording);
    if (user.user_roles.length > 0)
      await noteRemoval(callers, userId, { change: "roles_set", roles, by: SIGN_ON });
    return { ok: false, problem: "no_role" };
  }
  if (user === undefined) {
    await note({ change: "user_added", roles, customer: customerId ?? null });
  } else {
    if (user.user_roles.join() !== roles.toSorted().join()) await note({ change: "roles_set", roles });
    if (customerId !== undefined && customerId !== user.customer_id)
      await note({ change: "customer_set", customer: customerId });
  }

  const link = `sign-on-${randomBytes(9).toString("base64url")}`;
  // Runs first, because nothing else may be stored if the role change is refused. The user already exists here.
  if (mustKeep && (await setRolesKept(roles)) === undefined) return recordSignOn(db, person, recording);
  const results = await runBatch(db, [
    {
      sql: `INSERT INTO users (id, kind, name, customer_id, created_at, created_by) VALUES (?1, 'user', ?2, ?3, ?4, '${SIGN_ON}')
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, customer_id = iif(?5, excluded.customer_id, customer_id)`,
      values: [userId, name, customerId ?? null, now, customerId === undefined ? 0 : 1],
    },
    ...(mustKeep ? [] : setRoles(userId, roles, maker)),
    {
      sql: `INSERT INTO external_identities (id, issuer, subject, user_id, created_at, last_sign_in_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)
        ON CONFLICT (issuer, subject) DO UPDATE SET last_sign_in_at = excluded.last_sign_in_at, expires_at = excluded.expires_at
        RETURNING id`,
      values: [link, issuer, subject, userId, now, now + validDays * DAY_MS],
    },
  ]);
  if (user !== undefined) await forgetIdentity(callers, userId);
  return { ok: true, identityId: linkRow.parse(results.at(-1)?.[0]).id };
}
