import { DurableObject } from "cloudflare:workers";
import * as z from "zod";

/** There is one object, of this name. */
const INDEX_NAME = "index";
export const auditIndex = (env: Env) => env.AUDIT_INDEX.getByName(INDEX_NAME);

const rowSchema = z.object({ principal: z.string(), started_at: z.int() });
/** A chain that has begun and is not over. */
export type IndexedChain = z.output<typeof rowSchema>;

/**
 * Who has a chain, kept apart from D1: a caller's object writes here once when its chain begins and once when it ends. A
 * row of D1's audit_anchors that was deleted, closed or replaced from outside is missed here.
 */
export class AuditIndex extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS chains (principal TEXT PRIMARY KEY, started_at INTEGER NOT NULL) WITHOUT ROWID",
    );
  }

  /** A chain has begun; an older one of the same principal changes nothing. */
  begin(principal: string, startedAt: number): void {
    this.#sql.exec(
      `INSERT INTO chains (principal, started_at) VALUES (?, ?)
       ON CONFLICT (principal) DO UPDATE SET started_at = max(started_at, excluded.started_at)`,
      principal,
      startedAt,
    );
  }

  /** A chain is over. */
  end(principal: string, startedAt: number): void {
    this.#sql.exec("DELETE FROM chains WHERE principal = ? AND started_at = ?", principal, startedAt);
  }

  find(principal: string): IndexedChain | undefined {
    const [row] = this.#sql
      .exec("SELECT principal, started_at FROM chains WHERE principal = ?", principal)
      .toArray();
    return row === undefined ? undefined : rowSchema.parse(row);
  }

  /** Chains of principals behind `after` and before `end`, in the order of their names. */
  page(after: string, end: string, limit: number): IndexedChain[] {
    return rowSchema
      .array()
      .parse(
        this.#sql
          .exec(
            "SELECT principal, started_at FROM chains WHERE principal > ? AND principal < ? ORDER BY principal LIMIT ?",
            after,
            end,
            limit,
          )
          .toArray(),
      );
  }
}
