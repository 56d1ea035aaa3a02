import * as z from "zod";
import {
  BOOTSTRAP,
  LINEAGE_MAX,
  type Link,
  SIGN_ON,
  YOUNG_MS,
  isAccount,
  rootsOf,
  withMakers,
} from "./lineage.ts";
import type { AdminSpell } from "./who-decides.ts";

// The SQL for lineage: who created whom.

/**
 * The links that count: `all` that no person vouched for, or `shared`, which also leaves out those of a new server's
 * first day.
 */
type Counted = "all" | "shared";

const linkRow = z.object({ made: z.string(), maker: z.string().nullable(), at: z.int() });

const isLink = (row: string, account: string) =>
  `${row}.created_at >= ?2 AND (${row}.apart IS NULL OR (${row}.apart = 'founding' AND ?3 = 'all'))
   AND ${row}.created_by NOT IN ('${BOOTSTRAP}', '${SIGN_ON}') AND ${row}.created_by <> ${account}`;

// One more than LINEAGE_MAX, so that a lineage that is too large can be recognized.
const LINKS = `WITH RECURSIVE reached(account) AS (
    SELECT value FROM json_each(?1)
    UNION
    SELECT u.created_by FROM reached r CROSS JOIN users u ON u.id = r.account WHERE ${isLink("u", "u.id")}
    UNION
    SELECT k.created_by FROM reached r CROSS JOIN access_keys k ON k.user_id = r.account WHERE ${isLink("k", "k.user_id")}
    LIMIT ${LINEAGE_MAX + 1}
  )
  SELECT u.id AS made, u.created_by AS maker, u.created_at AS at
    FROM reached r CROSS JOIN users u ON u.id = r.account WHERE ${isLink("u", "u.id")}
  UNION ALL
  SELECT k.user_id, k.created_by, max(k.created_at)
    FROM reached r CROSS JOIN access_keys k ON k.user_id = r.account WHERE ${isLink("k", "k.user_id")}
    GROUP BY k.user_id, k.created_by`;

/**
 * Returns the young links above these accounts, their creators, and so on; undefined for more than LINEAGE_MAX
 * accounts.
 */
export async function linksAbove(
  db: D1Database,
  accounts: readonly string[],
  counted: Counted,
  now: number,
): Promise<Link[] | undefined> {
  const { results } = await db
    .prepare(LINKS)
    .bind(JSON.stringify(accounts), now - YOUNG_MS, counted)
    .all();
  const links = z.array(linkRow).parse(results);
  return withMakers(accounts, links, now).size > LINEAGE_MAX ? undefined : links;
}

/**
 * Returns the accounts whose budget of people a caller shares because they recently created it or its credential;
 * undefined if its lineage is too large to judge.
 */
export async function budgetsOf(
  db: D1Database,
  makers: readonly string[],
  now: number,
): Promise<string[] | undefined> {
  const links = await linksAbove(db, makers, "shared", now);
  return links === undefined ? undefined : rootsOf(makers, links, now);
}

/**
 * Returns the young links to those who created a user, created the key that they signed in with, or gave them the admin
 * role.
 */
export async function directLinks(
  db: D1Database,
  userId: string,
  keyId: string | null,
  now: number,
): Promise<Link[]> {
  const { results } = await db
    .prepare(
      `SELECT ?1 AS made, created_by AS maker, created_at AS at FROM users
         WHERE id = ?1 AND created_at >= ?3 AND created_by IS NOT NULL AND apart IS NOT 'vouched'
       UNION ALL
       SELECT ?1, created_by, created_at FROM access_keys
         WHERE id = ?2 AND created_at >= ?3 AND apart IS NOT 'vouched'
       UNION ALL
       SELECT ?1, created_by, created_at FROM user_roles
         WHERE user_id = ?1 AND role = 'admin' AND created_at >= ?3 AND created_by IS NOT NULL`,
    )
    .bind(userId, keyId, now - YOUNG_MS)
    .all();
  const links = z.array(linkRow).parse(results);
  return links.filter(({ maker }) => maker === null || (isAccount(maker) && maker !== userId));
}

const spellRow = z.object({ from: z.int(), to: z.int().nullable() });

/** Returns the periods in which a user was an admin. */
export async function adminSpells(db: D1Database, userId: string): Promise<AdminSpell[]> {
  const { results } = await db
    .prepare(
      `SELECT coalesce(r.created_at, u.created_at) AS "from", NULL AS "to"
         FROM user_roles r JOIN users u ON u.id = r.user_id WHERE r.user_id = ?1 AND r.role = 'admin'
       UNION ALL
       SELECT coalesce(p.created_at, u.created_at), p.ended_at
         FROM past_roles p JOIN users u ON u.id = p.user_id WHERE p.user_id = ?1 AND p.role = 'admin'`,
    )
    .bind(userId)
    .all();
  return z.array(spellRow).parse(results);
}
