import * as z from "zod";
import { type Page, type Position, pageOf } from "../database/page.ts";

// Pages of users and keys for administrators. Every value is a text or null. Keys are listed by id; no list holds a
// secret.

const time = (column: string) => `strftime('%FT%TZ', ${column} / 1000, 'unixepoch') AS ${column}`;

const userColumns = `id, kind, name, customer_id, ${time("created_at")}, created_by, ${time("disabled_at")},
  (SELECT group_concat(role, ', ') FROM user_roles WHERE user_id = users.id) AS roles`;
const ends = `${time("expires_at")}, ${time("last_used_at")}, ${time("revoked_at")}`;
const KEY_TABLES = {
  access_keys: `id, user_id AS user, label, roles, signature, ${time("created_at")}, created_by, ${ends}`,
  signing_keys: `id, user_id AS user, label, algorithm, public_key, ${time("created_at")}, ${ends}`,
};

const listedSchema = z.looseObject({ id: z.string() });
const listedKeySchema = listedSchema.extend({ made_at: z.int() }).transform(({ made_at, ...row }) => {
  const position: Position = [made_at, row.id];
  return { position, row };
});
type Listed = z.output<typeof listedSchema>;

interface Wanted {
  after: Position | undefined;
  size: number;
}

/** Returns users in order of their ids; only those whose ids begin with `prefix`, if it is given. */
export async function pageOfUsers(
  db: D1Database,
  { after, size, prefix = "" }: Wanted & { prefix?: string },
): Promise<Page<Listed>> {
  const { results } = await db
    .prepare(
      `SELECT ${userColumns} FROM users WHERE id > ?1 AND id >= ?3 AND id < ?4 AND deleted_at IS NULL ORDER BY id LIMIT ?2`,
    )
    .bind(after?.[1] ?? "", size + 1, prefix, `${prefix}\u{10FFFF}`)
    .all();
  return pageOf(listedSchema.array().parse(results), size, ({ id }) => [0, id]);
}

/** Returns one user as pageOfUsers() lists it; undefined if there is none. */
export async function findListedUser(db: D1Database, id: string): Promise<Listed | undefined> {
  const row = await db
    .prepare(`SELECT ${userColumns} FROM users WHERE id = ? AND deleted_at IS NULL`)
    .bind(id)
    .first();
  return row === null ? undefined : listedSchema.parse(row);
}

const countRow = z.object({ user: z.string(), keys: z.int() });

/** Counts the access keys of users that are neither revoked nor expired. */
export async function countValidKeys(
  db: D1Database,
  users: readonly string[],
  now: number,
): Promise<Map<string, number>> {
  const { results } = await db
    .prepare(
      `SELECT user_id AS user, count(*) AS keys FROM access_keys
       WHERE user_id IN (SELECT value FROM json_each(?1)) AND revoked_at IS NULL
         AND (expires_at IS NULL OR expires_at > ?2) GROUP BY user_id`,
    )
    .bind(JSON.stringify(users), now)
    .all();
  return new Map(
    countRow
      .array()
      .parse(results)
      .map(({ user, keys }) => [user, keys]),
  );
}

/** Returns keys of both kinds, newest first; only one user's if `user` is given. */
export async function pageOfKeys(
  db: D1Database,
  table: keyof typeof KEY_TABLES,
  { user, after = [Number.MAX_SAFE_INTEGER, ""], size }: Wanted & { user: string | undefined },
): Promise<Page<Listed>> {
  const whose = user === undefined ? "?4 IS NULL" : "user_id = ?4";
  const { results } = await db
    .prepare(
      `SELECT ${KEY_TABLES[table]}, created_at AS made_at FROM ${table}
       WHERE (${table}.created_at, id) < (?1, ?2) AND ${whose}
       ORDER BY ${table}.created_at DESC, id DESC LIMIT ?3`,
    )
    .bind(...after, size + 1, user ?? null)
    .all();
  const { rows, next } = pageOf(listedKeySchema.array().parse(results), size, ({ position }) => position);
  return { rows: rows.map(({ row }) => row), next };
}
