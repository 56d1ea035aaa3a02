import * as z from "zod";
import { DAY } from "../flow/window.ts";
import { userRow } from "../identity/users.ts";
import { policyInForce } from "../policy/bundled.ts";
import { localRoles } from "../policy/roles.ts";

// The SQL over who calls: users, callers without a name who have an audit, and whom an incident is about.

const LISTED_MAX = 200;

const callerRow = z.object({
  id: z.string(),
  /** Null for callers without a name. */
  name: z.string().nullable(),
  kind: z.enum(["user", "service"]).nullable(),
  disabled_at: z.int().nullable(),
  deleted_at: z.int().nullable(),
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
  stopped: z.enum(["block", "confirm"]).nullable(),
});
/** A caller as a list shows it. Times are milliseconds since the epoch. */
export type Caller = z.output<typeof callerRow>;

// A block stands for a day, of which D1 knows no more than when the rule last spoke; the strictest of both comes first in
// the alphabet.
const CALLERS = `
  WITH callers AS (
    SELECT id FROM users
    UNION SELECT principal FROM audit_anchors WHERE closed_at IS NULL
    UNION SELECT principal FROM incidents
  )
  SELECT c.id, u.name, u.kind, u.disabled_at, u.deleted_at, u.created_by, coalesce(a.seq, 0) AS records, a.anchored_at AS last_at,
    coalesce(a.mostly_refused, 0) AS mostly_refused,
    (SELECT json_group_array(role) FROM user_roles WHERE user_id = c.id) AS roles,
    (SELECT count(*) FROM incidents WHERE principal = c.id AND status = 'open') AS open,
    (SELECT min(verdict) FROM incidents WHERE principal = c.id AND status = 'open' AND
      (verdict = 'confirm' AND last_at + window_ms > ?3 OR verdict = 'block' AND last_at > ?2)) AS stopped
  FROM callers c
  LEFT JOIN users u ON u.id = c.id
  LEFT JOIN audit_anchors a ON a.principal = c.id AND a.closed_at IS NULL`;

/** Those with open incidents first, then those who called last; `text` is in the id or the name. */
export async function listCallers(db: D1Database, text: string, now: number): Promise<Caller[]> {
  const { results } = await db
    .prepare(
      `${CALLERS} WHERE ?1 = '' OR instr(lower(c.id), lower(?1)) > 0 OR instr(lower(coalesce(u.name, '')), lower(?1)) > 0
       ORDER BY open > 0 DESC, last_at DESC, c.id LIMIT ${LISTED_MAX}`,
    )
    .bind(text, now - DAY, now)
    .all();
  return callerRow.array().parse(results);
}

/** Undefined for a name that nobody has: an object of any name comes to be when it is called. */
export async function findCaller(db: D1Database, id: string, now: number): Promise<Caller | undefined> {
  const row = await db
    .prepare(`${CALLERS} WHERE c.id = ?1`)
    .bind(id, now - DAY, now)
    .first();
  return row === null ? undefined : callerRow.parse(row);
}

/** The roles that a caller has: those of its user, of who speaks over stdio, or of callers without a name. */
export function rolesOf({ id, name, roles }: Caller): string[] {
  if (name !== null) return roles;
  if (id !== LOCAL) return ["anonymous"];
  return localRoles(policyInForce());
}

/** Whoever runs programs on this machine (src/local/worker.ts). */
const LOCAL = "local";
