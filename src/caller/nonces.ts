import * as z from "zod";
import { logUnreadable } from "../telemetry/readable-rows.ts";

// The fresh nonces of one caller's signatures and accepted forms; each is good once. Signature and form are checked first, so
// nobody else can add nonces.

const SCHEMA = `
CREATE TABLE IF NOT EXISTS nonces (key_id TEXT NOT NULL, nonce TEXT NOT NULL, expires_at INTEGER NOT NULL,
  spent_by TEXT, PRIMARY KEY (key_id, nonce)) WITHOUT ROWID
`;

/** The most nonces kept at a time: 150 signed requests a second with the longest lifetime. */
const NONCES_MAX = 10_000;

/** A nonce, and when its signature expires, in milliseconds since the epoch. */
export interface Spent {
  keyId: string;
  nonce: string;
  expiresAt: number;
  /** The request that used it. A retry of that request is the same use. */
  requestId?: string;
}

/** `full`: the caller must wait until its next nonce expires. */
export type NonceAnswer = { status: "fresh" } | { status: "used" } | { status: "full"; retryAfterMs: number };

export interface Nonces {
  consume(spent: Spent, now: number): NonceAnswer;
  dropPast(now: number): void;
  /** When the last nonce expires; undefined if there is none. */
  emptyAt(): number | undefined;
}

const summaryRow = z.object({ count: z.int(), earliest: z.int().nullable(), latest: z.int().nullable() });

export function createNonces(sql: SqlStorage, max = NONCES_MAX): Nonces {
  // The table is created with the first nonce, because most callers have none.
  const columns = sql.exec("SELECT name FROM pragma_table_info('nonces')").toArray();
  let exists = columns.length > 0;
  // An older release stores rows without this column.
  if (exists && !columns.some(({ name }) => name === "spent_by"))
    sql.exec("ALTER TABLE nonces ADD COLUMN spent_by TEXT");
  let { count, earliest, latest } = exists ? storedSummary(sql) : NONE;

  function dropPast(now: number): void {
    if (earliest === null || earliest >= now) return;
    sql.exec("DELETE FROM nonces WHERE expires_at < ?", now);
    ({ count, earliest, latest } = summary(sql));
  }

  /** Whether the same request used the nonce: a retry after its answer was lost. */
  function isSpentBy(requestId: string | undefined, keyId: string, nonce: string): boolean {
    if (requestId === undefined) return false;
    const query = "SELECT 1 FROM nonces WHERE key_id = ? AND nonce = ? AND spent_by = ?";
    return sql.exec(query, keyId, nonce, requestId).toArray().length > 0;
  }

  return {
    consume({ keyId, nonce, expiresAt, requestId }, now) {
      // Expired by the same clock that deletes nonces, so a deleted nonce can't be used again.
      if (expiresAt < now) return { status: "used" };
      if (!exists) sql.exec(SCHEMA);
      exists = true;
      if (count >= max) dropPast(now);
      if (count >= max)
        return isSpentBy(requestId, keyId, nonce)
          ? FRESH
          : { status: "full", retryAfterMs: (earliest ?? now) + 1 - now };
      const added = sql
        .exec(
          `INSERT INTO nonces (key_id, nonce, expires_at, spent_by) VALUES (?, ?, ?, ?)
           ON CONFLICT DO NOTHING RETURNING nonce`,
          keyId,
          nonce,
          expiresAt,
          requestId ?? null,
        )
        .toArray();
      if (added.length === 0) return isSpentBy(requestId, keyId, nonce) ? FRESH : { status: "used" };
      count += 1;
      earliest = Math.min(earliest ?? expiresAt, expiresAt);
      latest = Math.max(latest ?? expiresAt, expiresAt);
      return FRESH;
    },
    dropPast,
    emptyAt: () => (latest === null ? undefined : latest + 1),
  };
}

const FRESH = { status: "fresh" } as const;
const NONE: z.output<typeof summaryRow> = { count: 0, earliest: null, latest: null };

/** If a newer release has changed the table's shape, no nonce is accepted, but the caller's other calls go on. */
function storedSummary(sql: SqlStorage) {
  try {
    return summary(sql);
  } catch (error) {
    logUnreadable("nonces", error);
    return NONE;
  }
}

const summary = (sql: SqlStorage) =>
  summaryRow.parse(
    sql
      // A non-integer time was stored by a newer release; such a nonce stays used until that release is back.
      .exec(
        `SELECT count(*) AS count, min(expires_at) AS earliest, max(expires_at) AS latest FROM nonces
         WHERE typeof(expires_at) = 'integer'`,
      )
      .one(),
  );
