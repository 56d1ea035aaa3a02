import type { WriteSize } from "../detection/size.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";

// Plans of changes of stock. Pure: the database is read before, and applies a plan only to the versions that it was made for.

export const QUANTITY_MAX = 1_000_000_000;
const PROBLEMS_SHOWN = 5;

/** The stock of one product in one warehouse. */
export interface Place {
  product_id: number;
  sku: string;
  status: "active" | "discontinued";
  warehouse: string;
  /** Null if it is unknown. */
  quantity: number | null;
  /** Grows with every change; 0 if there never was any stock. */
  version: number;
  /** Units that reservations hold. */
  held: number;
}

/** The effect of a change on one place. */
export interface Line {
  product_id: number;
  sku: string;
  warehouse: string;
  before: number | null;
  after: number | null;
  /** The version that the change leaves. */
  version: number;
  /** The version that the plan was made for. */
  found: number;
}

export interface StockPlan {
  lines: Line[];
  size: WriteSize;
}

export interface WantedChange {
  sku: string;
  warehouse: string;
  delta?: number | undefined;
  set?: number | undefined;
  expected_version?: number | undefined;
}

/** A wanted change and the place that it is about. */
export interface FoundChange {
  wanted: WantedChange;
  place: Place;
}

/** Plans all changes, or says what stands against each. `inStock` are the units of all products. */
export function planUpdate(found: readonly FoundChange[], inStock: number): Outcome<StockPlan> {
  const problems: { text: string; place: Place }[] = [];
  const lines: Line[] = [];
  for (const { wanted, place } of found) {
    const text = problemOf(wanted, place);
    if (text !== undefined) problems.push({ text, place });
    else lines.push(lineOf(place, wanted.set ?? (place.quantity ?? 0) + (wanted.delta ?? 0)));
  }
  return problems.length > 0 ? refusePlan(problems) : ok({ lines, size: sizeOf(lines, inStock) });
}

function problemOf({ delta, set, expected_version }: WantedChange, place: Place): string | undefined {
  const { status, quantity, version, held } = place;
  if (status === "discontinued") return "the product is discontinued";
  if (expected_version !== undefined && expected_version !== version)
    return `its version is not ${expected_version}`;
  if (set === undefined && quantity === null) return "the quantity is unknown, so set it";
  const after = set ?? (quantity ?? 0) + (delta ?? 0);
  if (after < 0) return "it would fall below 0";
  if (after > QUANTITY_MAX) return `it would exceed ${QUANTITY_MAX}`;
  if (after < held && after < (quantity ?? 0)) return "reservations hold more than would be left";
  return undefined;
}

/** A quantity that stays as it is keeps its version. */
export const lineOf = (
  { product_id, sku, warehouse, quantity: before, version: found }: Place,
  after: number | null,
): Line => ({
  product_id,
  sku,
  warehouse,
  before,
  after,
  version: after === before ? found : found + 1,
  found,
});

/** The current state of a place, in a refusal. */
export const stateWords = ({ sku, warehouse, quantity, version, held }: Place): string =>
  `${sku} in ${warehouse}: quantity ${quantity ?? "unknown"}, version ${version}${held > 0 ? `, held ${held}` : ""}`;

/** Refuses with the current versions, so that a model can decide again without reading first. `known` is said before them. */
export function refusePlan(problems: readonly { text: string; place: Place }[], known = "") {
  const shown = problems.slice(0, PROBLEMS_SHOWN).map(({ text, place }) => `${stateWords(place)} (${text})`);
  const more = problems.length > shown.length ? `; and ${problems.length - shown.length} more` : "";
  return refuse("conflict", `Nothing was changed.${known} ${shown.join("; ")}${more}.`, {
    hints: { current: problems.map(({ place }) => stateWords(place)) },
  });
}

/** Measures a change of a stock of so many units. A product that only moves between warehouses counts as nothing removed. */
export function sizeOf(lines: readonly Pick<Line, "sku" | "before" | "after">[], inStock: number): WriteSize {
  const bySku = Map.groupBy(lines, ({ sku }) => sku);
  const sums = [...bySku.values()].map((of) => ({
    before: of.reduce((sum, { before }) => sum + (before ?? 0), 0),
    after: of.reduce((sum, { after }) => sum + (after ?? 0), 0),
  }));
  const named = sums.reduce((sum, { before }) => sum + before, 0);
  const removed = sums.reduce((sum, { before, after }) => sum + Math.max(0, before - after), 0);
  return {
    units: lines.reduce((sum, { before, after }) => sum + Math.abs((after ?? 0) - (before ?? 0)), 0),
    removed,
    skus: new Set(lines.filter(({ before, after }) => before !== after).map(({ sku }) => sku)).size,
    emptied: sums.filter(({ before, after }) => before > after && before >= 10 * after).length,
    others: 0,
    of_stock: removed === 0 ? 0 : removed / Math.max(removed, inStock),
    share: named === 0 ? 0 : removed / named,
  };
}

/** A change's line and the place as it is now. */
export interface FoundLine {
  line: Pick<Line, "before" | "after" | "version">;
  place: Place;
}

/** Plans the way back, if nothing newer has touched any place of the change. `undoneBy` is the change that went it before. */
export function planUndo(
  found: readonly FoundLine[],
  inStock: number,
  undoneBy?: string,
): Outcome<StockPlan> {
  const changed = found.filter(({ line }) => line.before !== line.after);
  if (changed.length === 0)
    return refuse(
      "conflict",
      "That change left the stock as it was. release_reservation ends a reservation, reopen_ticket reopens a ticket.",
    );
  const problems = changed.flatMap(({ line, place }) => {
    if (place.version !== line.version)
      return [{ text: `changed since, when its version was ${line.version}`, place }];
    const after = line.before ?? 0;
    if (after < place.held && after < (place.quantity ?? 0))
      return [{ text: "reservations hold more than would be left", place }];
    return [];
  });
  if (problems.length > 0)
    return refusePlan(problems, undoneBy === undefined ? "" : ` It was undone before, by ${undoneBy}.`);
  const lines = changed.map(({ line, place }) => lineOf(place, line.before));
  return ok({ lines, size: sizeOf(lines, inStock) });
}
