import * as z from "zod";
import { type Page, type Position, pageOf } from "../database/page.ts";
import { DAY } from "../detection/window.ts";
import { userRow } from "../identity/users.ts";
import { policyInForce } from "../policy/bundled.ts";
import { localRoles } from "../policy/roles.ts";

// The SQL over who calls: users, callers without a name who have an audit, and whom an incident is about. The table
// `callers` is kept by the database (migrations/0016_operator_lists.sql).

const callerRow = z.object({
  /** Its number, and its place in the list. */
  n: z.int(),
  place: z.int(),
  id: z.string(),
  /** Null for callers without a name. */
  name: z.string().nullable(),
  kind: z.enum(["user", "service"]).nullable(),
  disabled_at: z.int().nullable(),
  deleted_at: z.int().nullable(),
  /** When it was made; null for callers without a name. */
  created_at: z.int().nullable(),
  /** Why it does not share the budget of who made it; null where it may. */
  apart: z.string().nullable(),
  /** Who made it: a user's id, `sign-on` or `@bootstrap`; null where nobody knows. */
  created_by: z.string().nullable(),
  roles: userRow.shape.user_roles,
  records: z.int(),
  /** When the audit was last anchored, at most a minute behind the last call; null where there is none. */
  last_at: z.int().nullable(),
  open: z.int(),
  /** 1 where most of its latest calls were refused when its audit was last anchored. */
  mostly_refused: z.int(),
  /** What lately stopped its calls, and stops more like them until a person says otherwise or the rule's window is over. */
  stopped: z.enum(["block", "confirm", "throttle"]).nullable(),
});
/** A caller as a list shows it. Times are milliseconds since the epoch. */
export type Caller = z.output<typeof callerRow>;

// A block stands for a day, of which D1 knows no more than when the rule last spoke; the strictest comes first in the
// alphabet.
const COLUMNS = `c.n, c.place, c.id, u.name, u.kind, u.disabled_at, u.deleted_at, u.created_at, u.apart, u.created_by,
  c.open,
  coalesce(a.mostly_refused, 0) AS mostly_refused, coalesce(a.seq, 0) AS records,
  a.anchored_at AS last_at, (SELECT json_group_array(role) FROM user_roles WHERE user_id = c.id) AS roles,
  (SELECT min(verdict) FROM incidents WHERE principal = c.id AND status = 'open' AND
    (verdict IN ('confirm', 'throttle') AND last_at + window_ms > ?2 OR verdict = 'block' AND last_at > ?1)) AS stopped`;
const JOINED = `LEFT JOIN users u ON u.id = c.id
  LEFT JOIN audit_anchors a ON a.principal = c.id AND a.closed_at IS NULL`;

/**
 * Callers whose open incidents wait for a person come first, then known callers, then those without a name; of each kind,
 * those who called last.
 */
export async function pageOfCallers(
  db: D1Database,
  { after = [Number.MIN_SAFE_INTEGER, ""], size, now }: Wanted,
): Promise<Page<Caller>> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM callers c ${JOINED} WHERE (c.place, c.id) > (?3, ?4) ORDER BY c.place, c.id LIMIT ?5`,
    )
    .bind(now - DAY, now, ...after, size + 1)
    .all();
  return pageOf(callerRow.array().parse(results), size, ({ place, id }) => [place, id]);
}

/** Callers whose id or name has words that begin as each of the text's words does; those that came last first. */
export async function findCallers(
  db: D1Database,
  text: string,
  { after = [Number.MAX_SAFE_INTEGER, ""], size, now }: Wanted,
): Promise<Page<Caller>> {
  const words = text.normalize("NFC").match(/[\p{L}\p{N}]+/gu) ?? [];
  if (words.length === 0) return { rows: [], next: null };
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM (SELECT rowid AS found FROM caller_words WHERE caller_words MATCH ?3 AND rowid < ?4
         ORDER BY rowid DESC LIMIT ?5) JOIN callers c ON c.n = found ${JOINED} ORDER BY c.n DESC`,
    )
    .bind(now - DAY, now, words.map((word) => `"${word}"*`).join(" "), after[0], size + 1)
    .all();
  return pageOf(callerRow.array().parse(results), size, ({ n, id }) => [n, id]);
}

/** Undefined for a name that nobody has: an object of any name comes to be when it is called. */
export async function findCaller(db: D1Database, id: string, now: number): Promise<Caller | undefined> {
  const row = await db
    .prepare(`SELECT ${COLUMNS} FROM callers c ${JOINED} WHERE c.id = ?3`)
    .bind(now - DAY, now, id)
    .first();
  return row === null ? undefined : callerRow.parse(row);
}

interface Wanted {
  after: Position | undefined;
  size: number;
  now: number;
}

/** The roles that a caller has: those of its user, of who speaks over stdio, or of callers without a name. */
export function rolesOf({ id, name, roles }: Caller): string[] {
  if (name !== null) return roles;
  if (id !== LOCAL) return ["anonymous"];
  return localRoles(policyInForce());
}

/** Whoever runs programs on this machine (src/local/worker.ts). */
const LOCAL = "local";
