import type { D1Database } from "@cloudflare/workers-types";
import * as z from "zod";
import { availabilityColumns, availabilityOf } from "../catalog/availability.ts";
import type { ChangeDraft } from "../changes/change.ts";
import type { Outcome } from "../refusal.ts";
import type { AppliedChange, Planned } from "./apply-change.ts";
import { type ChangeQuestion, readChanges } from "./change-list.ts";
import { heldAt } from "./places.ts";
import type { StockPlan, WantedChange } from "./plan.ts";
import type { ReleasePlan, ReservationPlan } from "./plan-reservation.ts";
import { type ReservationQuestion, readReservations } from "./reservation-list.ts";
import {
  type Reserved,
  type WantedHold,
  commit,
  planCommitment,
  planReleasing,
  planReservation,
  release,
  reserve,
} from "./reservations.ts";
import type { Stock } from "./stock.ts";
import { planStockUndo, planStockUpdate, undoStock, updateStock } from "./stock-changes.ts";

const rowSchema = z.object({
  status: availabilityColumns.status,
  availability: availabilityColumns.availability,
  available_from: availabilityColumns.available_from,
  sku: z.string(),
  group_key: z.string().nullable(),
  warehouse: z.string().nullable(),
  quantity: z.int().nullable(),
  version: z.int().nullable(),
  held: z.int(),
});

/** A product's stock, and the id under which the product counts: all variants of a group are one. */
export interface CountedStock {
  stock: Stock;
  countsAs: string;
}

/** Everything that callers may read about stock and do to it. */
export interface Inventory {
  /** The caller, whom each change names. */
  principal: string;
  /** Returns stock in the order of `skus`; unknown ones are left out. */
  stock(skus: string[], now: number): Promise<CountedStock[]>;
  /** Reads what an update would change, without changing it. */
  planUpdate(draft: ChangeDraft, wanted: readonly WantedChange[]): Promise<Outcome<Planned<StockPlan>>>;
  update(
    draft: ChangeDraft,
    wanted: readonly WantedChange[],
    planned: Planned<StockPlan>,
  ): Promise<Outcome<AppliedChange>>;
  /** Reads what undoing a change would change, without changing it. */
  planUndo(draft: Undo): Promise<Outcome<Planned<StockPlan>>>;
  undo(draft: Undo, planned: Planned<StockPlan>): Promise<Outcome<AppliedChange>>;
  /** Reads what a reservation would hold, without holding it. */
  planReservation(
    draft: ChangeDraft,
    wanted: readonly WantedHold[],
  ): Promise<Outcome<Planned<ReservationPlan>>>;
  reserve(
    draft: ChangeDraft,
    order: { wanted: readonly WantedHold[]; expiresAt: number },
    planned: Planned<ReservationPlan>,
  ): Promise<Outcome<Reserved>>;
  planCommit(draft: ChangeDraft, reservationId: string): Promise<Outcome<Planned<StockPlan>>>;
  commit(
    draft: ChangeDraft,
    reservationId: string,
    planned: Planned<StockPlan>,
  ): Promise<Outcome<AppliedChange>>;
  /** Reads what a release would give back, without releasing. */
  planRelease(draft: ChangeDraft, reservationId: string): Promise<Outcome<ReleasePlan>>;
  release(draft: ChangeDraft, reservationId: string): Promise<Outcome<Reserved>>;
  /** Returns reservations, the newest first. */
  reservations(question: ReservationQuestion): ReturnType<typeof readReservations>;
  /** Returns changes, the newest first. */
  changes(question: ChangeQuestion): ReturnType<typeof readChanges>;
}
type Undo = ChangeDraft & { undoes: string };

/** `principal` is the caller. */
export function createInventory(db: D1Database, principal: string): Inventory {
  return {
    principal,
    planUpdate: (draft, wanted) => planStockUpdate(db, draft, wanted),
    update: (draft, wanted, planned) => updateStock(db, draft, wanted, planned),
    planUndo: (draft) => planStockUndo(db, draft),
    undo: (draft, planned) => undoStock(db, draft, planned),
    planReservation: (draft, wanted) => planReservation(db, draft, wanted),
    reserve: (draft, order, planned) => reserve(db, draft, order, planned),
    planCommit: (draft, reservationId) => planCommitment(db, draft, reservationId),
    commit: (draft, reservationId, planned) => commit(db, draft, reservationId, planned),
    planRelease: (draft, reservationId) => planReleasing(db, draft, reservationId),
    release: (draft, reservationId) => release(db, draft, reservationId),
    reservations: (question) => readReservations(db, question),
    changes: (question) => readChanges(db, question),

    async stock(skus, now) {
      const { results } = await db
        .prepare(
          `SELECT p.sku, p.status, p.availability, p.available_from, g.key AS group_key,
             s.warehouse, s.quantity, s.version, ${heldAt("p.id", "s.warehouse", "?2")} AS held
           FROM json_each(?1) wanted JOIN products p ON p.sku = wanted.value
           LEFT JOIN product_groups g ON g.id = p.group_id
           LEFT JOIN stock s ON s.product_id = p.id AND p.status = 'active'
           ORDER BY wanted.key, s.warehouse`,
        )
        .bind(JSON.stringify([...new Set(skus)]), now)
        .all();
      const bySku = Map.groupBy(z.array(rowSchema).parse(results), ({ sku }) => sku);
      return [...bySku.values()].flatMap(toStock);
    },
  };
}

/** `rows` are one product's: one for each warehouse, or one without a warehouse. */
function toStock(rows: readonly z.output<typeof rowSchema>[]): CountedStock[] {
  const [product] = rows;
  if (product === undefined) return [];
  const { sku, status, available_from, group_key } = product;
  const warehouses = rows.flatMap(({ warehouse, quantity, version, held }) =>
    warehouse === null || quantity === null || version === null
      ? []
      : [{ warehouse, quantity, available: Math.max(0, quantity - held), version }],
  );
  const units = warehouses.reduce((sum, { quantity }) => sum + quantity, 0);
  const isKnown = status === "discontinued" || warehouses.length > 0;
  const available = warehouses.reduce((sum, each) => sum + each.available, 0);
  // Units that are all held by reservations can't be bought.
  const availability = availabilityOf({ ...product, stocked: isKnown ? Number(available > 0) : null });
  const stock: Stock = {
    sku,
    status,
    availability,
    ...(available_from !== null && { available_from }),
    stock: isKnown ? units : null,
    available: isKnown ? available : null,
    warehouses,
  };
  return [{ stock, countsAs: group_key ?? sku }];
}
