import * as z from "zod";
import { jsonText } from "../database/json-text.ts";
import type { SignatureRule } from "./signature-profile.ts";

/** A user as a credential leads to it. */
export interface Identified {
  userId: string;
  name: string;
  kind: "user" | "service";
  roles: string[];
  customerId: string | undefined;
}

/** Why a credential is refused. */
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
    }
  | { ok: false; problem: CredentialProblem };

const rolesColumn = jsonText.pipe(z.array(z.string()));

/** A user's columns beside those of the credential, as USER_COLUMNS selects them of `users u`. */
export const userRow = z.object({
  user_id: z.string(),
  name: z.string(),
  kind: z.enum(["user", "service"]),
  customer_id: z.string().nullable(),
  disabled_at: z.int().nullable(),
  user_roles: rolesColumn,
});

export const USER_COLUMNS = `u.id AS user_id, u.name, u.kind, u.customer_id, u.disabled_at,
  (SELECT json_group_array(role) FROM (SELECT role FROM user_roles WHERE user_id = u.id ORDER BY role)) AS user_roles`;

const selectUser = (db: D1Database, userId: string) =>
  db.prepare(`SELECT ${USER_COLUMNS} FROM users u WHERE u.id = ?`).bind(userId).first();

/** Of a user who exists, in order. */
export async function rolesOf(db: D1Database, userId: string): Promise<string[]> {
  return userRow.parse(await selectUser(db, userId)).user_roles;
}

/** What a key of a user could open; undefined where there is no such user. */
export async function findUser(
  db: D1Database,
  userId: string,
): Promise<{ roles: string[]; isDisabled: boolean } | undefined> {
  const row = await selectUser(db, userId);
  if (row === null) return undefined;
  const { user_roles: roles, disabled_at } = userRow.parse(row);
  return { roles, isDisabled: disabled_at !== null };
}

/** What a credential leads to: of the user's roles, those that it has not narrowed away. */
export function identified(
  row: z.output<typeof userRow>,
  narrowed: readonly string[] | null = null,
  signature: SignatureRule = "optional",
): Found {
  if (row.disabled_at !== null) return { ok: false, problem: "user_disabled" };
  const { user_id: userId, name, kind, customer_id, user_roles } = row;
  const roles = narrowed === null ? user_roles : user_roles.filter((role) => narrowed.includes(role));
  return {
    ok: true,
    user: { userId, name, kind, roles, customerId: customer_id ?? undefined },
    narrowed: narrowed !== null,
    signature,
  };
}
