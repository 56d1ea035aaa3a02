import type { D1Database } from "@cloudflare/workers-types";
import type { ChangeDraft } from "../changes/change.ts";
import { changesIn, readStored, selectChange, selectStored, selectUndo } from "../changes/statements.ts";
import { runBatch } from "../database/run-batch.ts";
import type { WriteSize } from "../detection/size.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";
import { type AppliedChange, type Planned, alreadyStored, applyChange, planned } from "./apply-change.ts";
import { applyPlan, linesIn, selectLines } from "./change-lines.ts";
import { placesIn, selectPlaces, selectUnits, unitsIn } from "./places.ts";
import { type Place, type StockPlan, type WantedChange, planUndo, planUpdate } from "./plan.ts";

const HINTED_WAREHOUSES = 20;

/**
 * Reads the places that a call names, and plans what it does there. Refuses unknown products, as `missing`, and unknown
 * warehouses. A key that was used before leads to its change.
 */
export async function planAt<
  Wanted extends { sku: string; warehouse: string },
  Plan extends { size: WriteSize },
>(
  db: D1Database,
  draft: ChangeDraft,
  wanted: readonly Wanted[],
  plan: (found: readonly { wanted: Wanted; place: Place }[], inStock: number) => Outcome<Plan>,
): Promise<Outcome<Planned<Plan>>> {
  const [kept, rows, units, names] = await runBatch(db, [
    selectStored(draft),
    selectPlaces(wanted, draft.at),
    selectUnits,
    { sql: "SELECT name FROM warehouses ORDER BY name LIMIT ?1", values: [HINTED_WAREHOUSES] },
  ]);
  const stored = readStored(kept, draft);
  if (!stored.ok) return stored;
  if (stored.value !== undefined) return ok(alreadyStored(stored.value));
  const found = placesIn(rows);
  const missing = [...new Set(found.filter(({ place }) => place === undefined).map(({ sku }) => sku))];
  if (missing.length > 0) return refuse("not_found", "There is no such product.", { missing });
  if (found.some(({ isKnown }) => !isKnown)) return unknownWarehouse(names);
  const places = wanted.flatMap((each, index) => {
    const place = found[index]?.place;
    return place === undefined ? [] : [{ wanted: each, place }];
  });
  return planned(plan(places, unitsIn(units)));
}

/** Reads what an update is about and plans it. */
export const planStockUpdate = (
  db: D1Database,
  draft: ChangeDraft,
  wanted: readonly WantedChange[],
): Promise<Outcome<Planned<StockPlan>>> => planAt(db, draft, wanted, planUpdate);

function unknownWarehouse(rows: readonly unknown[] = []) {
  const warehouses = rows.map((row) => String(Object(row)["name"]));
  const known = warehouses.length === 0 ? "No warehouse is known." : `Known: ${warehouses.join(", ")}.`;
  return refuse("not_found", `There is no such warehouse. ${known}`, { hints: { warehouses } });
}

/** Applies a planned update. */
export const updateStock = (
  db: D1Database,
  draft: ChangeDraft,
  wanted: readonly WantedChange[],
  first: Planned<StockPlan>,
): Promise<Outcome<AppliedChange>> =>
  applyChange(db, {
    draft,
    planned: first,
    plan: () => planStockUpdate(db, draft, wanted),
    statements: (plan) => applyPlan(draft, plan),
  });

/** Reads a change and plans its way back. `draft.undoes` is its id. */
export async function planStockUndo(
  db: D1Database,
  draft: ChangeDraft & { undoes: string },
): Promise<Outcome<Planned<StockPlan>>> {
  const [kept, changes, lineRows, undos] = await runBatch(db, [
    selectStored(draft),
    selectChange(draft.undoes),
    selectLines("?1", [draft.undoes]),
    selectUndo(draft.undoes),
  ]);
  const stored = readStored(kept, draft);
  if (!stored.ok) return stored;
  if (stored.value !== undefined) return ok(alreadyStored(stored.value));
  if (changesIn(changes).length === 0)
    return refuse("not_found", "There is no such change, or it is too old to be undone.");
  const lines = linesIn(lineRows);
  const [rows, units] = await runBatch(db, [selectPlaces(lines, draft.at), selectUnits]);
  const places = placesIn(rows);
  const [undo] = changesIn(undos);
  return planned(
    planUndo(
      lines.flatMap((line, index) => {
        const place = places[index]?.place;
        return place === undefined ? [] : [{ line, place }];
      }),
      unitsIn(units),
      undo?.id,
    ),
  );
}

/** Applies a planned way back. */
export const undoStock = (
  db: D1Database,
  draft: ChangeDraft & { undoes: string },
  first: Planned<StockPlan>,
): Promise<Outcome<AppliedChange>> =>
  applyChange(db, {
    draft,
    planned: first,
    plan: () => planStockUndo(db, draft),
    statements: (plan) => applyPlan(draft, plan),
  });
