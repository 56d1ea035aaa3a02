import * as z from "zod";
import { type ChangeRow, changeIdSchema } from "../changes/change.ts";
import { type Answered, answered } from "../detection/signals.ts";
import type { AppliedChange } from "../inventory/apply-change.ts";
import { plainLine } from "../text/plain-text.ts";

// The answer of every tool that changes stock.

export const warehouseSchema = z.string().overwrite(plainLine).min(1).max(64);

export const lineSchema = z.strictObject({
  sku: z.string(),
  warehouse: z.string(),
  before: z.int().nullable().describe("Null where it was unknown"),
  after: z.int().nullable(),
  version: z.int(),
});
type ShownLine = z.output<typeof lineSchema>;

/** The longest answer that 50 places take, in bytes. */
export const CHANGE_COST = { records: 1, bytes: 12_000 };

export const stockChangeSchema = z.strictObject({
  change_id: changeIdSchema.nullable().describe("For undo_change; null for a dry run"),
  replayed: z.boolean().describe("True if an earlier call made the change"),
  changes: z.array(lineSchema),
});
export type StockChange = z.output<typeof stockChangeSchema>;

export const shownLine = ({ sku, warehouse, before, after, version }: ShownLine): ShownLine => ({
  sku,
  warehouse,
  before,
  after,
  version,
});

export const shownChange = (
  { id }: Pick<ChangeRow, "id">,
  { lines, isReplay }: Pick<AppliedChange, "lines" | "isReplay">,
): StockChange => ({ change_id: id, replayed: isReplay, changes: lines.map(shownLine) });

/** A repeated call changes nothing, so it counts nothing. */
export const answerChange = ({ change, ...applied }: AppliedChange): Answered<StockChange> =>
  answered(shownChange(change, applied), { records: applied.isReplay ? 0 : 1 });

export const lineText = ({ sku, warehouse, before, after, version }: ShownLine): string =>
  `${sku} in ${warehouse}: ${before ?? "unknown"} -> ${after ?? "unknown"}, version ${version}`;

export function stockChangeText({ change_id, replayed, changes }: StockChange): string {
  const title =
    change_id === null
      ? "Dry run: nothing was changed."
      : `${change_id}: ${replayed ? "was made by an earlier call" : "changed"}`;
  return [title, ...changes.map(lineText)].join("\n");
}
