import * as z from "zod";
import type { AppContext } from "../../../app-types.ts";
import type { Page, Position } from "../../../database/page.ts";
import { newKeyId } from "../../../identity/administration.ts";
import { countValidKeys, findListedUser, pageOfKeys, pageOfUsers } from "../../../identity/lists.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { notFoundPage } from "../admin-page.tsx";
import { NOT_SENT, type Sent } from "../form-values.ts";
import { USERS } from "../users/paths.ts";
import { type ListedUser, accessKeyRow, listedUserRow, signingKeyRow } from "../users/rows.ts";
import { userPage } from "../users/user-page.tsx";
import { PAGE_SIZE, afterOf } from "./list-position.ts";

/** The id that a form gives to the key that it makes. */
export const keyIdSchema = z.string().regex(/^key-[0-9a-f]{12}$/);

/** Returns a page of users with the number of their valid keys. */
export async function readUsers(
  db: D1Database,
  { after, prefix, now }: { after: Position | undefined; prefix: string; now: number },
): Promise<Page<ListedUser>> {
  const { rows, next } = await pageOfUsers(db, { after, prefix, size: PAGE_SIZE });
  const users = listedUserRow.array().parse(rows);
  const counts = await countValidKeys(
    db,
    users.map(({ id }) => id),
    now,
  );
  return { rows: users.map((user) => ({ ...user, keys: counts.get(user.id) ?? 0 })), next };
}

interface Shown {
  id: string;
  roles: string[];
  message?: string | undefined;
  made?: { id: string; secret: string };
  keySent?: Sent;
  rolesSent?: Sent;
  status?: 409;
}

/** Answers with a user's page, and the result of an action. */
export async function showUser(
  c: AppContext,
  admin: SignedIn,
  { id, keySent = NOT_SENT, rolesSent = NOT_SENT, ...shown }: Shown,
): Promise<Response> {
  const [listed, keys, signingKeys] = await Promise.all([
    findListedUser(c.env.DB, id),
    pageOfKeys(c.env.DB, "access_keys", { user: id, after: afterOf(c), size: PAGE_SIZE }),
    pageOfKeys(c.env.DB, "signing_keys", { user: id, after: undefined, size: PAGE_SIZE }),
  ]);
  if (listed === undefined) return notFoundPage(admin, USERS);
  return userPage({
    admin,
    user: listedUserRow.parse(listed),
    keys: { ...keys, rows: accessKeyRow.array().parse(keys.rows) },
    signingKeys: { ...signingKeys, rows: signingKeyRow.array().parse(signingKeys.rows) },
    cursor: c.req.query("after"),
    newKeyId: newKeyId(),
    keySent,
    rolesSent,
    now: Date.now(),
    ...shown,
  });
}
