import * as z from "zod";
import { type Page, type Position, pageOf } from "../database/page.ts";
import { DAY } from "../detection/window.ts";
import { agentHostOf } from "../identity/principal.ts";
import { userRow } from "../identity/users.ts";
import { policyInForce } from "../policy/bundled.ts";
import { localRoles } from "../policy/roles.ts";

// The SQL for lists of callers: users, callers without an account that have an audit, and callers that an incident is about. Triggers
// keep the table `callers` up to date (migrations/0016_operator_lists.sql).

const callerRow = z.object({
  /** The caller's number, and its sort key in the list. */
  n: z.int(),
  place: z.int(),
  id: z.string(),
  /** Null for callers without an account. */
  name: z.string().nullable(),
  kind: z.enum(["user", "service"]).nullable(),
  disabled_at: z.int().nullable(),
  deleted_at: z.int().nullable(),
  /** When the account was created; null without one. */
  created_at: z.int().nullable(),
  /** Why the account does not share its creator's budget; null if it may. */
  apart: z.string().nullable(),
  /** The creator: a user's id, `sign-on` or `@bootstrap`; null if unknown. */
  created_by: z.string().nullable(),
  roles: userRow.shape.user_roles,
  records: z.int(),
  /** When the audit was last anchored, at most a minute after the last call; null without an audit. */
  last_at: z.int().nullable(),
  open: z.int(),
  /** 1 if most of the latest calls were refused when the audit was last anchored. */
  mostly_refused: z.int(),
  /** The verdict that stops the caller's calls until a person allows them or the rule's window is over. */
  stopped: z.enum(["block", "confirm", "throttle"]).nullable(),
});
/** A caller as a list shows it. Times are milliseconds since the epoch. */
export type Caller = z.output<typeof callerRow>;

// A block lasts a day; D1 knows only when the rule last matched. min() picks the strictest verdict, because they sort so
// alphabetically.
const COLUMNS = `c.n, c.place, c.id, u.name, u.kind, u.disabled_at, u.deleted_at, u.created_at, u.apart, u.created_by,
  c.open,
  coalesce(a.mostly_refused, 0) AS mostly_refused, coalesce(a.seq, 0) AS records,
  a.anchored_at AS last_at, (SELECT json_group_array(role) FROM user_roles WHERE user_id = c.id) AS roles,
  (SELECT min(verdict) FROM incidents WHERE principal = c.id AND status = 'open' AND
    (verdict IN ('confirm', 'throttle') AND last_at + window_ms > ?2 OR verdict = 'block' AND last_at > ?1)) AS stopped`;
const JOINED = `LEFT JOIN users u ON u.id = c.id
  LEFT JOIN audit_anchors a ON a.principal = c.id AND a.closed_at IS NULL`;

/**
 * A page of all callers: first those with open incidents that need a decision, then named callers, then anonymous ones; in
 * each group, the latest first.
 */
export async function pageOfCallers(
  db: D1Database,
  { after = [Number.MIN_SAFE_INTEGER, ""], size, now }: PageRequest,
): Promise<Page<Caller>> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM callers c ${JOINED} WHERE (c.place, c.id) > (?3, ?4) ORDER BY c.place, c.id LIMIT ?5`,
    )
    .bind(now - DAY, now, ...after, size + 1)
    .all();
  return pageOf(callerRow.array().parse(results), size, ({ place, id }) => [place, id]);
}

/** Callers whose id or name has, for each word of the text, a word that begins with it; the newest first. */
export async function findCallers(
  db: D1Database,
  text: string,
  { after = [Number.MAX_SAFE_INTEGER, ""], size, now }: PageRequest,
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

/** One caller; undefined if there is none of that id. Check it before calling its object: any name would create an object. */
export async function findCaller(db: D1Database, id: string, now: number): Promise<Caller | undefined> {
  const row = await db
    .prepare(`SELECT ${COLUMNS} FROM callers c ${JOINED} WHERE c.id = ?3`)
    .bind(now - DAY, now, id)
    .first();
  return row === null ? undefined : callerRow.parse(row);
}

interface PageRequest {
  after: Position | undefined;
  size: number;
  now: number;
}

/** A caller's roles: those of the user, of the local stdio caller, of a listed agent, or of anonymous callers. */
export function rolesOf({ id, name, roles }: Caller): string[] {
  if (name !== null) return roles;
  const host = agentHostOf(id);
  // An agent that the policy no longer lists has none.
  if (host !== undefined) return policyInForce().agents[host] ?? [];
  return id === LOCAL ? localRoles(policyInForce()) : ["anonymous"];
}

export const kindOf = ({ id, kind }: Caller): string =>
  kind ?? (agentHostOf(id) === undefined ? "anonymous" : "shopping agent");

/** The caller of the local stdio server (src/local/worker.ts). */
const LOCAL = "local";
