import type { D1Database } from "@cloudflare/workers-types";
import type { ChangeDraft, ChangeRow } from "../changes/change.ts";
import { IS_OF_DRAFT, keysOf, readStored, selectStored } from "../changes/statements.ts";
import { runBatch } from "../database/run-batch.ts";
import type { Statement } from "../database/statement.ts";
import { NO_SIZE, type WriteSize, exceeds } from "../detection/size.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";
import { type StoredLine, linesIn, selectLines } from "./change-lines.ts";

/** How often a change is planned again because others were faster. */
const TRIES = 10;

/** A planned change, or the one that its key already made. */
export type Planned<Plan> =
  | { size: WriteSize; plan: Plan; stored?: never }
  | { size: WriteSize; stored: ChangeRow; plan?: never };

/** A change that was applied: now, or by an earlier call with the same key. */
export interface AppliedChange {
  change: ChangeRow;
  lines: StoredLine[];
  isReplay: boolean;
}

interface Changing<Plan extends { size: WriteSize }> {
  draft: ChangeDraft;
  planned: Planned<Plan>;
  /** Reads again and plans again. */
  plan: () => Promise<Outcome<Planned<Plan>>>;
  /** The batch whose first statement stores the change. */
  statements: (plan: Plan) => Statement[];
}

/**
 * Applies a planned change, all of it or nothing. The batch is conditional on what the plan has read; if that is no longer so,
 * the change is planned again, but never for more than the guard has admitted.
 */
export async function applyChange<Plan extends { size: WriteSize }>(
  db: D1Database,
  { draft, planned: first, plan, statements }: Changing<Plan>,
): Promise<Outcome<AppliedChange>> {
  let planned = first;
  for (let tries = 0; tries < TRIES; tries++) {
    if (planned.stored !== undefined) {
      const { stored: change } = planned;
      const [lines] = await runBatch(db, [selectLines("?1", [change.id])]);
      return ok({ change, lines: linesIn(lines), isReplay: true });
    }
    const batch = statements(planned.plan);
    const rows = await runBatch(db, [...batch, selectStored(draft), selectStoredLines(draft)]);
    const stored = readStored(rows.at(-2), draft);
    if (!stored.ok) return stored;
    if (stored.value !== undefined)
      return ok({
        change: stored.value,
        lines: linesIn(rows.at(-1)),
        isReplay: stored.value.id !== draft.id,
      });
    const again = await plan();
    if (!again.ok) return again;
    if (exceeds(again.value.size, first.size)) return OVERTAKEN;
    planned = again.value;
  }
  return OVERTAKEN;
}

const OVERTAKEN = refuse(
  "conflict",
  "Nothing was changed: the stock changed at the same moment. Call again.",
);

const selectStoredLines = (draft: ChangeDraft): Statement =>
  selectLines(`SELECT c.id FROM changes c WHERE ${IS_OF_DRAFT}`, keysOf(draft));

export const planned = <Plan extends { size: WriteSize }>(plan: Outcome<Plan>): Outcome<Planned<Plan>> =>
  plan.ok ? ok({ size: plan.value.size, plan: plan.value }) : plan;
export const alreadyStored = (stored: ChangeRow): Planned<never> => ({ size: NO_SIZE, stored });
