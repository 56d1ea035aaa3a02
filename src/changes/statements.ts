import * as z from "zod";
import type { Statement } from "../database/statement.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";
import { type ChangeDraft, type ChangeRow, changeRowSchema } from "./change.ts";

/** Columns of a change `c`, for `changeRowSchema`. */
export const CHANGE_COLUMNS = "c.seq, c.id, c.kind, c.principal, c.digest, c.reason, c.at, c.undoes";

/**
 * The first statement of a batch that applies a change: stores its row, if `condition` holds and its key is unused. The other
 * statements of the batch must do nothing without that row (`isStored`). `values` are those of the condition, from ?9 on.
 */
export const storeChange = (
  { id, kind, principal, idempotencyKey, digest, reason, at, undoes }: ChangeDraft,
  condition: string,
  values: Statement["values"],
): Statement => ({
  sql: `INSERT INTO changes (id, kind, principal, idempotency_key, digest, reason, at, undoes)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE ${condition} ON CONFLICT DO NOTHING`,
  values: [id, kind, principal, idempotencyKey ?? null, digest, reason, at, undoes ?? null, ...values],
});

/** SQL for whether the change with the id in `place` was stored. */
export const isStored = (place: string): string => `EXISTS (SELECT 1 FROM changes WHERE id = ${place})`;

/** SQL for whether a change `c` has a draft's id or uses its key, with the values of `keysOf`. */
export const IS_OF_DRAFT = "(c.id = ?1 OR (c.principal = ?2 AND c.idempotency_key = ?3))";
export const keysOf = ({ id, principal, idempotencyKey }: ChangeDraft): Statement["values"] => [
  id,
  principal,
  idempotencyKey ?? null,
];

/** Selects the change that has the draft's id or uses its key, if there is one. */
export const selectStored = (draft: ChangeDraft): Statement => ({
  sql: `SELECT ${CHANGE_COLUMNS} FROM changes c WHERE ${IS_OF_DRAFT}`,
  values: keysOf(draft),
});

export const selectChange = (id: string): Statement => ({
  sql: `SELECT ${CHANGE_COLUMNS} FROM changes c WHERE c.id = ?1`,
  values: [id],
});

/** Selects the last change that undid this one, if there is one. */
export const selectUndo = (id: string): Statement => ({
  sql: `SELECT ${CHANGE_COLUMNS} FROM changes c WHERE c.undoes = ?1 ORDER BY c.seq DESC LIMIT 1`,
  values: [id],
});

export const changesIn = (rows: unknown): ChangeRow[] => z.array(changeRowSchema).parse(rows);

/**
 * Reads what `selectStored` found. Undefined: nothing was stored. A change of other arguments under the same key is refused.
 */
export function readStored(
  rows: unknown,
  { digest }: Pick<ChangeDraft, "digest">,
): Outcome<ChangeRow | undefined> {
  const [found] = changesIn(rows);
  if (found !== undefined && found.digest !== digest) return KEY_USED;
  return ok(found);
}

const KEY_USED = refuse(
  "conflict",
  "This idempotency_key was used for a call with other arguments. Use a new key for a new change.",
);
