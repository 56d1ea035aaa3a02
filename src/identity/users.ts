import * as z from "zod";
import { jsonText } from "../database/json-text.ts";
import { isAccount, isYoung } from "./lineage.ts";
import type { SignatureRule } from "./signature-profile.ts";

/** The user that a credential belongs to. */
export interface Identified {
  userId: string;
  name: string;
  kind: "user" | "service";
  roles: string[];
  customerId: string | undefined;
  /**
   * Accounts that recently created the user or the credential, whose budget of people it shares; absent if there are
   * none.
   */
  madeBy?: string[];
  /** Set if somebody else recently created the user or the credential, and nobody vouched for it. */
  isNew?: true;
}

/** The reason why a credential is refused. */
export type CredentialProblem =
  | "key_unknown"
  | "key_expired"
  | "key_revoked"
  | "sign_in_unknown"
  | "sign_in_expired"
  | "user_disabled";

export type Found =
  | {
      ok: true;
      user: Identified;
      /** Whether the credential has only some of its user's roles. */
      narrowed: boolean;
      /** Whether requests with it must be signed too. */
      signature: SignatureRule;
      /** When the credential expires, in milliseconds since the epoch; null if it does not. */
      expiresAt: number | null;
    }
  | { ok: false; problem: CredentialProblem };

const rolesColumn = jsonText.pipe(z.array(z.string()));

/** A user's columns, as USER_COLUMNS selects them from `users u`. */
export const userRow = z.object({
  user_id: z.string(),
  name: z.string(),
  kind: z.enum(["user", "service"]),
  customer_id: z.string().nullable(),
  disabled_at: z.int().nullable(),
  deleted_at: z.int().nullable(),
  created_at: z.int(),
  created_by: z.string().nullable(),
  apart: z.string().nullable(),
  user_roles: rolesColumn,
});

export const USER_COLUMNS = `u.id AS user_id, u.name, u.kind, u.customer_id, u.disabled_at, u.deleted_at,
  u.created_at, u.created_by, u.apart,
  (SELECT json_group_array(role) FROM (SELECT role FROM user_roles WHERE user_id = u.id ORDER BY role)) AS user_roles`;

const selectUser = (db: D1Database, userId: string) =>
  db.prepare(`SELECT ${USER_COLUMNS} FROM users u WHERE u.id = ?`).bind(userId).first();

/** Returns the roles of an existing user, in order. */
export async function rolesOf(db: D1Database, userId: string): Promise<string[]> {
  return userRow.parse(await selectUser(db, userId)).user_roles;
}

/** Returns what a user's keys can use; undefined if there is no such user. */
export async function findUser(
  db: D1Database,
  userId: string,
): Promise<{ roles: string[]; customerId: string | null; isDisabled: boolean } | undefined> {
  const row = await selectUser(db, userId);
  if (row === null) return undefined;
  const { user_roles: roles, customer_id: customerId, disabled_at, deleted_at } = userRow.parse(row);
  if (deleted_at !== null) return undefined;
  return { roles, customerId, isDisabled: disabled_at !== null };
}

/** Creator and time of creation, as USER_COLUMNS selects them. */
type Made = Pick<z.output<typeof userRow>, "created_at" | "created_by" | "apart">;

/** A credential's narrowing, its expiry, and who created it. */
interface CredentialRow {
  narrowed: readonly string[] | null;
  signature: SignatureRule;
  expiresAt: number | null;
  made?: Made;
}

/** Returns the user with the roles that the credential is not narrowed from. */
export function identified(
  row: z.output<typeof userRow>,
  now: number,
  { narrowed, signature, expiresAt, made }: CredentialRow,
): Found {
  if (row.disabled_at !== null) return { ok: false, problem: "user_disabled" };
  const { user_id: userId, name, kind, customer_id, user_roles } = row;
  const roles = narrowed === null ? user_roles : user_roles.filter((role) => narrowed.includes(role));
  const origins = made === undefined ? [row] : [row, made];
  const madeBy = sharedMakers(userId, origins, now);
  return {
    ok: true,
    user: {
      userId,
      name,
      kind,
      roles,
      customerId: customer_id ?? undefined,
      ...(madeBy.length > 0 && { madeBy }),
      ...(origins.some((origin) => isNewFor(userId, origin, now)) && { isNew: true }),
    },
    narrowed: narrowed !== null,
    signature,
    expiresAt,
  };
}

/** Returns whether another account recently created the row, and nobody vouched for it. */
const isNewFor = (userId: string, { created_at, created_by, apart }: Made, now: number): boolean =>
  isAccount(created_by) && created_by !== userId && apart !== "vouched" && isYoung(created_at, now);

/** Returns the accounts that recently created any of these. Rows that stand apart are ignored. */
const sharedMakers = (userId: string, rows: readonly Made[], now: number): string[] => [
  ...new Set(
    rows.flatMap((row) =>
      row.apart === null && isAccount(row.created_by) && isNewFor(userId, row, now) ? [row.created_by] : [],
    ),
  ),
];
