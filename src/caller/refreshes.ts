import * as z from "zod";
import { logUnreadable } from "../telemetry/readable-rows.ts";
import { DAY } from "../detection/window.ts";

// Refresh tokens that one user's clients have exchanged. A refresh token is good once (RFC 9700, section 4.14). Two
// processes of a client may use it at the same moment, so for half a minute the second one gets the first one's answer.

/** Milliseconds in which a second use of a token gets the same answer. */
export const REPEAT_MS = 30_000;
/** Milliseconds that a used token is remembered: as long as an unused one is good. */
const REMEMBERED_MS = 30 * DAY;
/** Milliseconds after which a request that does not end no longer holds a token; longer than a request may take. */
const LEASE_MS = 30_000;
/** Milliseconds that a second request waits here for the first. It asks again after that. */
const WAIT_MS = 1_000;
/** Used tokens that are remembered of one user. A client in use exchanges one an hour. */
const REMEMBERED_MAX = 5_000;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS refreshes (token TEXT PRIMARY KEY, grant_id TEXT NOT NULL, client TEXT NOT NULL,
  used_at INTEGER NOT NULL, answer TEXT) WITHOUT ROWID
`;

/** A request to exchange a refresh token. */
export interface RefreshRequest {
  /** A hash of the token. */
  token: string;
  /** A hash of the client's id. */
  client: string;
  /** Names the request: a retry of it is the same use. */
  requestId: string;
}

/**
 * `first`: exchange it. `busy`: another request is doing so; ask again. `repeated`: it was exchanged a moment ago, for the
 * sealed answer. `replayed`: it was exchanged long before. `foreign`: another client has exchanged it.
 */
export type RefreshUse =
  | { status: "busy" }
  | { status: "first" | "replayed" | "foreign" }
  | { status: "repeated"; answer: string; usedAt: number };

/** The outcome of a first use: the sealed answer, or that there were no tokens. */
export interface RefreshOutcome extends RefreshRequest {
  exchanged: { grantId: string; answer: string } | undefined;
}

const row = z.object({
  client: z.string(),
  used_at: z.int(),
  answer: z.string().nullable(),
});
const summaryRow = z.object({ earliest: z.int().nullable(), sealed: z.int().nullable() });

interface Lease {
  requestId: string;
  until: number;
  ended: Promise<void>;
  end: () => void;
}

export class Refreshes {
  readonly #sql: SqlStorage;
  readonly #leases = new Map<string, Lease>();
  /** The table is created with the first token, because most callers have none. */
  #exists: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#exists = sql.exec("SELECT 1 FROM pragma_table_info('refreshes')").toArray().length > 0;
  }

  /** Begins the use of a token, and waits for a moment while another request uses it. */
  async begin(request: RefreshRequest, now: () => number): Promise<RefreshUse> {
    const use = this.#use(request, now());
    const lease = this.#leases.get(request.token);
    if (use.status !== "busy" || lease === undefined) return use;
    await Promise.race([lease.ended, new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
    return this.#use(request, now());
  }

  #use({ token, client, requestId }: RefreshRequest, now: number): RefreshUse {
    const [found] = this.#exists
      ? this.#sql.exec("SELECT client, used_at, answer FROM refreshes WHERE token = ?", token).toArray()
      : [];
    if (found !== undefined) {
      const { client: first, used_at: usedAt, answer } = row.parse(found);
      if (first !== client) return { status: "foreign" };
      return answer !== null && now - usedAt <= REPEAT_MS
        ? { status: "repeated", answer, usedAt }
        : { status: "replayed" };
    }
    const lease = this.#leases.get(token);
    if (lease !== undefined && lease.until > now && lease.requestId !== requestId) return { status: "busy" };
    lease?.end();
    let end = () => {};
    const ended = new Promise<void>((resolve) => void (end = resolve));
    this.#leases.set(token, { requestId, until: now + LEASE_MS, ended, end });
    return { status: "first" };
  }

  /** Ends a first use, and remembers the token if it was exchanged. */
  end({ token, client, requestId, exchanged }: RefreshOutcome, now: number): void {
    if (exchanged !== undefined) {
      if (!this.#exists) this.#sql.exec(SCHEMA);
      this.#exists = true;
      this.#sql.exec(
        "INSERT INTO refreshes (token, grant_id, client, used_at, answer) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        token,
        exchanged.grantId,
        client,
        now,
        exchanged.answer,
      );
      this.dropPast(now);
    }
    const lease = this.#leases.get(token);
    if (lease?.requestId !== requestId) return;
    this.#leases.delete(token);
    lease.end();
  }

  /** Forgets the tokens of a grant that has ended. */
  forget(grantId: string): void {
    if (this.#exists) this.#sql.exec("DELETE FROM refreshes WHERE grant_id = ?", grantId);
  }

  /** Deletes answers that nobody may get any more, and tokens that are remembered no longer. */
  dropPast(now: number): void {
    if (!this.#exists) return;
    try {
      this.#sql.exec(
        "UPDATE refreshes SET answer = NULL WHERE answer IS NOT NULL AND used_at < ?",
        now - REPEAT_MS,
      );
      this.#sql.exec(
        `DELETE FROM refreshes WHERE used_at < ?1 OR token IN
         (SELECT token FROM refreshes ORDER BY used_at DESC LIMIT -1 OFFSET ?2)`,
        now - REMEMBERED_MS,
        REMEMBERED_MAX,
      );
    } catch (error) {
      // A newer release may have changed the table; the object's other maintenance goes on.
      logUnreadable("refreshes", error);
    }
  }

  /** When there is next something to drop; undefined if nothing is stored. */
  dueAt(): number | undefined {
    if (!this.#exists) return undefined;
    try {
      const { earliest, sealed } = summaryRow.parse(
        this.#sql
          .exec(
            `SELECT min(used_at) AS earliest, min(iif(answer IS NULL, NULL, used_at)) AS sealed FROM refreshes
             WHERE typeof(used_at) = 'integer'`,
          )
          .one(),
      );
      if (sealed !== null) return sealed + REPEAT_MS + 1;
      return earliest === null ? undefined : earliest + REMEMBERED_MS + 1;
    } catch (error) {
      logUnreadable("refreshes", error);
      return undefined;
    }
  }
}
