import * as z from "zod";
import type { Catalog } from "../catalog/repository.ts";
import { unknownSku } from "../catalog/sku.ts";
import { type ChangeRow, changeIdSchema } from "../changes/change.ts";
import { type Answered, answered } from "../detection/signals.ts";
import type { AppliedChange } from "../inventory/apply-change.ts";
import type { WriteSize } from "../detection/size.ts";
import { type Outcome, ok } from "../refusal.ts";
import { plainLine } from "../text/plain-text.ts";

// Parts of the tools that change stock: the places that they name, their plans and their answers.

export const warehouseSchema = z.string().overwrite(plainLine).min(1).max(64);

/** The most places that one call names. */
export const PLACES_MAX = 50;

/** The places that a call names, each with what it does there. */
export const placesSchema = <Place extends z.ZodType<{ sku: string; warehouse: string }>>(place: Place) =>
  z
    .array(place)
    .min(1)
    .max(PLACES_MAX)
    .refine(
      (all) => new Set(all.map(({ sku, warehouse }) => JSON.stringify([sku, warehouse]))).size === all.length,
      "Name each sku and warehouse once",
    );

/** Returns a tool's plan with its draft and size. An unknown product is answered with the nearest ones. */
export async function toolPlan<Draft, Plan extends { size: WriteSize }>(
  catalog: Catalog,
  draft: Draft,
  planned: Outcome<Plan>,
): Promise<Outcome<{ draft: Draft; planned: Plan; size: WriteSize }>> {
  if (planned.ok) return ok({ draft, planned: planned.value, size: planned.value.size });
  const [missing] = planned.refusal.missing ?? [];
  return missing === undefined ? planned : unknownSku(catalog, missing);
}

export const lineSchema = z.strictObject({
  sku: z.string(),
  warehouse: z.string(),
  before: z.int().nullable().describe("Null where it was unknown"),
  after: z.int().nullable(),
  version: z.int(),
});
type ShownLine = z.output<typeof lineSchema>;

/** The longest answer that PLACES_MAX places take, in bytes. */
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

/** A planned line, as nothing was changed: with the version that the stock has, so that it can be expected. */
export const previewedLine = ({ found, ...line }: ShownLine & { found: number }): ShownLine =>
  shownLine({ ...line, version: found });

export const shownChange = (
  { id }: Pick<ChangeRow, "id">,
  { lines, isReplay }: Pick<AppliedChange, "lines" | "isReplay">,
): StockChange => ({ change_id: id, replayed: isReplay, changes: lines.map(shownLine) });

/** A repeated call changes nothing, so it counts nothing. */
export const answerChange = ({ change, ...applied }: AppliedChange): Answered<StockChange> =>
  answered(shownChange(change, applied), { records: applied.isReplay ? 0 : 1 });

export const lineText = ({ version, ...line }: ShownLine): string => `${moveText(line)}, version ${version}`;
const moveText = ({ sku, warehouse, before, after }: Omit<ShownLine, "version">): string =>
  `${sku} in ${warehouse}: ${before ?? "unknown"} -> ${after ?? "unknown"}`;
const previewText = ({ version, ...line }: ShownLine): string =>
  `${moveText(line)}, still version ${version}`;

export function stockChangeText({ change_id, replayed, changes }: StockChange): string {
  if (change_id === null) return ["Dry run: nothing was changed.", ...changes.map(previewText)].join("\n");
  const title = `${change_id}: ${replayed ? "was made by an earlier call" : "changed"}`;
  return [title, ...changes.map(lineText)].join("\n");
}
