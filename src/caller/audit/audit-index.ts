import { DurableObject } from "cloudflare:workers";
import * as z from "zod";
import { ROW_PROBLEMS, type RowProblem } from "./row-problem.ts";

/** The one object's name. */
const INDEX_NAME = "index";
export const auditIndex = (env: Env) => env.AUDIT_INDEX.getByName(INDEX_NAME);

const findingSchema = z.object({ problem: z.enum(ROW_PROBLEMS), found_at: z.int() });
/** The first problem found with a chain's row in D1, and when (milliseconds since the epoch). */
export type Finding = z.output<typeof findingSchema>;

const chainSchema = z.object({ principal: z.string(), started_at: z.int() });
const rowSchema = chainSchema.extend({
  problem: findingSchema.shape.problem.nullable(),
  found_at: findingSchema.shape.found_at.nullable(),
});
/** A chain that has begun and has not ended. */
export type IndexedChain = z.output<typeof chainSchema> & { finding: Finding | undefined };

/**
 * Lists all principals that have a chain, outside D1: a caller's object writes here once when its chain begins and once when
 * it ends. So a row of audit_anchors that somebody deleted, closed or replaced is noticed. A finding stays as long as the
 * chain, whatever D1 says later.
 */
export class AuditIndex extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS chains (principal TEXT PRIMARY KEY, started_at INTEGER NOT NULL) WITHOUT ROWID",
    );
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS findings (principal TEXT PRIMARY KEY, started_at INTEGER NOT NULL, problem TEXT NOT NULL,
         found_at INTEGER NOT NULL) WITHOUT ROWID`,
    );
  }

  /** Adds a chain that has begun. An older chain of the same principal changes nothing. */
  begin(principal: string, startedAt: number): void {
    this.#sql.exec(
      `INSERT INTO chains (principal, started_at) VALUES (?, ?)
       ON CONFLICT (principal) DO UPDATE SET started_at = max(started_at, excluded.started_at)`,
      principal,
      startedAt,
    );
  }

  /** Removes a chain that has ended, and its finding. */
  end(principal: string, startedAt: number): void {
    for (const table of ["chains", "findings"])
      this.#sql.exec(`DELETE FROM ${table} WHERE principal = ? AND started_at = ?`, principal, startedAt);
  }

  /** Stores a problem with a chain's row in D1, unless the chain already has one. Returns the one that is stored. */
  found(principal: string, startedAt: number, problem: RowProblem, now: number): Finding {
    this.#sql.exec(
      `INSERT INTO findings (principal, started_at, problem, found_at) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (principal) DO UPDATE SET started_at = ?2, problem = ?3, found_at = ?4 WHERE started_at < ?2`,
      principal,
      startedAt,
      problem,
      now,
    );
    return findingSchema.parse(
      this.#sql.exec("SELECT problem, found_at FROM findings WHERE principal = ?", principal).one(),
    );
  }

  find(principal: string): IndexedChain | undefined {
    return this.#select("c.principal = ?", principal)[0];
  }

  /** Returns the chains of principals after `after` and before `end`, ordered by name. */
  page(after: string, end: string, limit: number): IndexedChain[] {
    return this.#select(
      "c.principal > ? AND c.principal < ? ORDER BY c.principal LIMIT ?",
      after,
      end,
      limit,
    );
  }

  #select(which: string, ...values: (string | number)[]): IndexedChain[] {
    const rows = this.#sql.exec(
      `SELECT c.principal, c.started_at, f.problem, f.found_at FROM chains c
       LEFT JOIN findings f ON f.principal = c.principal AND f.started_at = c.started_at WHERE ${which}`,
      ...values,
    );
    return rows.toArray().map((row) => {
      const { problem, found_at, ...chain } = rowSchema.parse(row);
      return { ...chain, finding: problem === null || found_at === null ? undefined : { problem, found_at } };
    });
  }
}
