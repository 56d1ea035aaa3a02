import type { D1Database, D1DatabaseSession } from "@cloudflare/workers-types";

// D1 may keep read replicas near the callers (docs/deploy.md). The binding itself sends every query to the primary, which has
// every earlier write. Stock, the support desk, credentials and all writes use it, because they must see the latest state.
// https://developers.cloudflare.com/d1/best-practices/read-replication/

/** A database, or a session with it. */
export type Queries = Pick<D1Database, "prepare" | "batch">;

/** The version of each database that this isolate's migrations need. */
const needed = new WeakMap<D1Database, string>();

/** Starts a session whose first query goes to the primary. */
export const firstPrimary = (db: D1Database): D1DatabaseSession => db.withSession("first-primary");

/** Notes that `anyCopy` must answer with at least what the session has seen. */
export function requireSeen(db: D1Database, session: D1DatabaseSession): void {
  const bookmark = session.getBookmark();
  // Bookmarks sort by age.
  if (bookmark !== null && bookmark > (needed.get(db) ?? "")) needed.set(db, bookmark);
}

/**
 * Starts a session whose reads the nearest copy may answer. A copy may lag behind the primary, so this is for the catalog's
 * descriptions. A copy that lacks a migration of this isolate waits until it has it.
 */
export const anyCopy = (db: D1Database): Queries => db.withSession(needed.get(db) ?? "first-unconstrained");
