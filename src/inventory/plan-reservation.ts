import { NO_SIZE, type WriteSize } from "../detection/size.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";
import { type Place, type StockPlan, lineOf, refusePlan, sizeOf } from "./plan.ts";

// Plans of reservations. Pure, like plan.ts.

/** Units of one product in one warehouse. */
export interface Held {
  product_id: number;
  warehouse: string;
  quantity: number;
}

export interface ReservationPlan {
  items: Held[];
  size: WriteSize;
}

interface WantedUnits {
  quantity: number;
  place: Place;
}

/** Plans to hold all units. It counts as their removal, because nobody else can have them. */
export function planReserve(wanted: readonly WantedUnits[], inStock: number): Outcome<ReservationPlan> {
  const problems = wanted.flatMap(({ quantity, place }) => {
    if (place.status === "discontinued") return [{ text: "the product is discontinued", place }];
    const available = (place.quantity ?? 0) - place.held;
    return quantity > available ? [{ text: `${Math.max(0, available)} available`, place }] : [];
  });
  if (problems.length > 0) return refusePlan(problems);
  const size = sizeOf(
    wanted.map(({ quantity, place }) => {
      const before = (place.quantity ?? 0) - place.held;
      return { sku: place.sku, before, after: before - quantity };
    }),
    inStock,
  );
  const items = wanted.map(({ quantity, place: { product_id, warehouse } }) => ({
    product_id,
    warehouse,
    quantity,
  }));
  return ok({ items, size });
}

/** A stored reservation. */
export interface Reservation {
  id: string;
  state: string;
  expires_at: number;
}

/** Plans to take the held units out of stock. Their removal was counted when they were reserved. */
export function planCommit(
  { state, expires_at }: Reservation,
  held: readonly WantedUnits[],
  now: number,
): Outcome<StockPlan> {
  if (state === "released") return refuse("conflict", "The reservation was released. Reserve again.");
  if (expires_at <= now) return refuse("conflict", "The reservation has expired. Reserve again.");
  const problems = held.flatMap(({ quantity, place }) =>
    (place.quantity ?? 0) < quantity ? [{ text: `${quantity} were reserved`, place }] : [],
  );
  if (problems.length > 0) return refusePlan(problems);
  const lines = held.map(({ quantity, place }) => lineOf(place, (place.quantity ?? 0) - quantity));
  return ok({ lines, size: { ...sizeOf(lines, 0), removed: 0, emptied: 0, of_stock: 0, share: 0 } });
}

/** Plans to give units back. They are what counts, and whether another caller counts on them. */
export function planRelease(
  { state, expires_at }: Reservation,
  { held, isOwn, now }: { held: readonly Pick<Held, "quantity">[]; isOwn: boolean; now: number },
): ReleasePlan {
  if (state !== "held" || expires_at <= now) return { size: NO_SIZE };
  const units = held.reduce((sum, { quantity }) => sum + quantity, 0);
  return { size: { ...NO_SIZE, units, others: isOwn ? 0 : 1 } };
}
export interface ReleasePlan {
  size: WriteSize;
}
