import { randomBytes } from "node:crypto";
import * as z from "zod";
import { plainLine } from "../text/plain-text.ts";
import type { Statement } from "../database/statement.ts";
import { BOOTSTRAP } from "./lineage.ts";
import { newRecoveryCode, setRecoveryCode } from "./recovery-code.ts";
import { ROLES } from "./scopes.ts";
import { newAccessKey } from "./secrets.ts";
import { SIGNATURE_RULES } from "./signature-profile.ts";

// The statements that create and change users and keys. The admin API, bootstrap and the local seed all run these, so
// every user is stored the same way.

const DAY_MS = 24 * 60 * 60 * 1000;
export const expiresInDays = z.int().min(1).max(3_650).optional();

/**
 * Returns when a key given this many days expires, in milliseconds since the epoch; null for a key that does not
 * expire.
 */
export const expiryOf = (days: number | undefined, now: number): number | null =>
  days === undefined ? null : now + days * DAY_MS;

export const roleSchema = z
  .string()
  .refine((name) => ROLES.includes(name), `must be one of ${ROLES.join(", ")}`);
const roles = z.array(roleSchema).max(20);

/** A text for terminals and pages, with invisible characters removed. */
export const line = (max: number) => z.string().overwrite(plainLine).min(1).max(max);

/** Values of a record's `by` that are not user ids: the sign-in provider, and a form answered in the client. */
const BY_OTHERS: ReadonlySet<string> = new Set(["sign-on", "principal"]);

/** User ids must not contain colons, because OAuth's storage uses colons to divide its keys. */
export const userIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/,
    "must be 1 to 64 letters, digits and . _ @ -, and begin with a letter or digit",
  )
  .refine((id) => !id.startsWith("anon-"), 'must not begin with "anon-": that prefix is reserved')
  .refine((id) => id !== "local", 'must not be "local": that id is reserved')
  .refine(
    (id) => !BY_OTHERS.has(id.toLowerCase()),
    "must not be sign-on or principal: those ids are reserved",
  );

const recoveryCode = z
  .string()
  .max(100)
  .optional()
  .describe("Vouches for it: it does not share its creator's budget of people");

export const newUserSchema = z.strictObject({
  id: userIdSchema,
  kind: z.enum(["user", "service"]).default("user"),
  name: line(200),
  roles: roles.min(1),
  customer_id: line(64).optional(),
  recovery_code: recoveryCode,
});
export type NewUser = z.output<typeof newUserSchema>;

export const newKeySchema = z.strictObject({
  user: userIdSchema,
  label: line(100),
  roles: roles.min(1).optional().describe("Narrows the user's roles"),
  expires_in_days: expiresInDays,
  signature: z.enum(SIGNATURE_RULES).default("optional"),
  recovery_code: recoveryCode,
});
/** A key to make; `id` is random unless it is given. */
export type NewKey = z.input<typeof newKeySchema> & { id?: string | undefined };

/** Returns a random id for an access key. */
export const newKeyId = (): string => `key-${randomBytes(6).toString("hex")}`;

export const rolesSchema = z.strictObject({ roles: roles.min(1), customer_id: line(64).optional() });

export const setCustomer = (userId: string, customer: string): Statement => ({
  sql: "UPDATE users SET customer_id = ?2 WHERE id = ?1",
  values: [userId, customer],
});

/** The account that creates something, and whether a person vouches for it with the recovery code. */
export interface Maker {
  /** A user's id, `sign-on` or `@bootstrap`; null if unknown. */
  by: string | null;
  isVouched?: boolean;
}
const NOBODY: Maker = { by: null };

/**
 * The first day of a new server. Accounts created then do not share their creator's budget, because its people were
 * hired before.
 */
const FOUNDING_MS = DAY_MS;
const FOUNDING_MAX = 30;
const FOUNDING_DAY = `EXISTS (SELECT 1 FROM bootstrap WHERE user_id = ?1 AND done_at > ?2)`;

export function addUser(
  { id, kind, name, customer_id, roles: given }: NewUser,
  now: number,
  { by, isVouched = false }: Maker = NOBODY,
): Statement[] {
  return [
    {
      sql: `INSERT INTO users (id, kind, name, customer_id, created_at, created_by, apart) VALUES (?3, ?4, ?5, ?6, ?7, ?1,
        CASE WHEN ?8 THEN 'vouched'
          WHEN ${FOUNDING_DAY} AND (SELECT count(*) FROM users WHERE apart = 'founding') < ${FOUNDING_MAX} THEN 'founding'
        END)`,
      values: [by, now - FOUNDING_MS, id, kind, name, customer_id ?? null, now, isVouched ? 1 : 0],
    },
    ...giveRoles(id, given, by, now),
  ];
}

/**
 * Gives a user exactly these roles. A role that the user already has keeps its giver; one that is removed goes to
 * past_roles.
 */
export function setRoles(
  userId: string,
  given: readonly string[],
  { by, now }: { by: string | null; now: number },
): Statement[] {
  const ends = "user_id = ?1 AND role NOT IN (SELECT value FROM json_each(?2))";
  const json = JSON.stringify(given);
  return [
    {
      sql: `INSERT INTO past_roles (user_id, role, created_by, created_at, ended_by, ended_at)
        SELECT user_id, role, created_by, created_at, ?3, ?4 FROM user_roles WHERE ${ends}`,
      values: [userId, json, by, now],
    },
    { sql: `DELETE FROM user_roles WHERE ${ends}`, values: [userId, json] },
    ...giveRoles(userId, given, by, now),
  ];
}

function giveRoles(userId: string, given: readonly string[], by: string | null, now: number): Statement[] {
  return [
    {
      sql: `INSERT OR IGNORE INTO user_roles (user_id, role, created_by, created_at)
        SELECT DISTINCT ?1, value, ?3, ?4 FROM json_each(?2) WHERE true`,
      values: [userId, JSON.stringify(given), by, now],
    },
  ];
}

/** Lets an account, and the keys that it has, stand apart from who made them. */
export const vouchFor = (userId: string): Statement[] => [
  { sql: "UPDATE users SET apart = 'vouched' WHERE id = ?1 AND apart IS NULL", values: [userId] },
  {
    sql: "UPDATE access_keys SET apart = 'vouched' WHERE user_id = ?1 AND apart IS NULL AND revoked_at IS NULL",
    values: [userId],
  },
];

/** Creates a key: its id, its statements, and the secret, which is shown once and never stored. */
export function createKey(
  { id = newKeyId(), user, label, roles: narrowed, expires_in_days, signature }: NewKey,
  now: number,
  { by, isVouched = false }: Maker = NOBODY,
) {
  const { secret, hash } = newAccessKey();
  const expiresAt = expiryOf(expires_in_days, now);
  const statement: Statement = {
    // A founding user's keys of the first day stand apart, as the user does: the user has one budget, however many
    // keys.
    sql: `INSERT INTO access_keys (id, hash, user_id, label, roles, created_at, expires_at, signature, created_by, apart)
      VALUES (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?1, CASE WHEN ?11 THEN 'vouched'
        WHEN ${FOUNDING_DAY} AND EXISTS (SELECT 1 FROM users WHERE id = ?5 AND apart = 'founding') THEN 'founding' END)`,
    values: [
      by,
      now - FOUNDING_MS,
      id,
      hash,
      user,
      label,
      narrowed === undefined ? null : JSON.stringify(narrowed),
      now,
      expiresAt,
      signature ?? "optional",
      isVouched ? 1 : 0,
    ],
  };
  return { id, secret, expiresAt, statement };
}

/**
 * Creates the first admin with a key, and the recovery code with which that admin can work alone. A second run fails as
 * a whole, because the bootstrap row already exists.
 */
export function bootstrapAdmin(userId: string, now: number) {
  const maker = { by: BOOTSTRAP };
  const key = createKey({ user: userId, label: "bootstrap" }, now, maker);
  const { code, hash } = newRecoveryCode();
  const statements: Statement[] = [
    { sql: "INSERT INTO bootstrap (id, user_id, done_at) VALUES (1, ?1, ?2)", values: [userId, now] },
    ...addUser({ id: userId, kind: "user", name: userId, roles: ["admin"] }, now, maker),
    key.statement,
    setRecoveryCode(hash, now),
  ];
  return { secret: key.secret, recoveryCode: code, statements };
}

export function disableUser(userId: string, now: number): Statement[] {
  return [
    { sql: "UPDATE users SET disabled_at = ?2 WHERE id = ?1 AND disabled_at IS NULL", values: [userId, now] },
    { sql: "DELETE FROM sessions WHERE user_id = ?1", values: [userId] },
  ];
}

export const enableUser = (userId: string): Statement[] => [
  { sql: "UPDATE users SET disabled_at = NULL WHERE id = ?1 AND deleted_at IS NULL", values: [userId] },
];

/**
 * Deletes a user's personal data and every credential. The row stays, disabled for good: nobody may get the id again,
 * because they would inherit its audit, and lineage still passes through it.
 */
export const deleteUser = (userId: string, now: number, by: string): Statement[] => [
  ...disableUser(userId, now),
  ...setRoles(userId, [], { by, now }),
  {
    sql: "UPDATE users SET name = 'Deleted user', customer_id = NULL, deleted_at = ?2 WHERE id = ?1 AND deleted_at IS NULL",
    values: [userId, now],
  },
  {
    sql: "UPDATE access_keys SET revoked_at = ?2 WHERE user_id = ?1 AND revoked_at IS NULL",
    values: [userId, now],
  },
  {
    sql: "UPDATE signing_keys SET revoked_at = ?2 WHERE user_id = ?1 AND revoked_at IS NULL",
    values: [userId, now],
  },
  { sql: "DELETE FROM external_identities WHERE user_id = ?1", values: [userId] },
];

export const revokeKey = (keyId: string, now: number): Statement[] => [
  {
    sql: "UPDATE access_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
    values: [keyId, now],
  },
];
