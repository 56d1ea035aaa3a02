import type { D1Database } from "@cloudflare/workers-types";
import * as z from "zod";
import { type ChangeDraft, newId } from "../changes/change.ts";
import {
  CHANGE_COLUMNS,
  changesIn,
  isStored,
  readStored,
  selectStored,
  storeChange,
} from "../changes/statements.ts";
import { joinStock } from "../catalog/stock-statements.ts";
import { jsonText } from "../database/json-text.ts";
import { runBatch } from "../database/run-batch.ts";
import type { Statement } from "../database/statement.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";
import { type AppliedChange, type Planned, alreadyStored, applyChange, planned } from "./apply-change.ts";
import { applyPlan } from "./change-lines.ts";
import { heldAt, placesIn, selectPlaces } from "./places.ts";
import type { StockPlan } from "./plan.ts";
import {
  type ReleasePlan,
  type ReservationPlan,
  planCommit,
  planRelease,
  planReserve,
} from "./plan-reservation.ts";
import { planAt } from "./stock-changes.ts";

export interface WantedHold {
  sku: string;
  warehouse: string;
  quantity: number;
}

const itemsSchema = z.array(z.object({ sku: z.string(), warehouse: z.string(), quantity: z.int() }));
export const reservationSchema = z.object({
  id: z.string(),
  state: z.string(),
  expires_at: z.int(),
  ended_by: z.string().nullable(),
  items: jsonText.pipe(itemsSchema),
});
export type StoredReservation = z.output<typeof reservationSchema>;

/** SQL for the columns of a reservation `r`. */
export const RESERVATION_COLUMNS = `r.id, r.state, r.expires_at, r.ended_by, (
  SELECT json_group_array(json_object('sku', p.sku, 'warehouse', i.value ->> 'warehouse', 'quantity', i.value ->> 'quantity'))
  FROM json_each(r.items) i JOIN products p ON p.id = i.value ->> 'product_id') AS items`;

const select = (column: "id" | "change_id", value: string): Statement => ({
  sql: `SELECT ${RESERVATION_COLUMNS} FROM reservations r WHERE r.${column} = ?1`,
  values: [value],
});
const reservationIn = (rows: unknown): StoredReservation | undefined =>
  z.array(reservationSchema).parse(rows)[0];

/** Reads what a reservation would hold and plans it. */
export const planReservation = (
  db: D1Database,
  draft: ChangeDraft,
  wanted: readonly WantedHold[],
): Promise<Outcome<Planned<ReservationPlan>>> =>
  planAt(db, draft, wanted, (found, inStock) =>
    planReserve(
      found.map(({ wanted: { quantity }, place }) => ({ quantity, place })),
      inStock,
    ),
  );

export interface Reserved {
  reservation: StoredReservation;
  isReplay: boolean;
}

/** Holds what was planned until `expiresAt`, in milliseconds since the epoch: all of it, or nothing. */
export async function reserve(
  db: D1Database,
  draft: ChangeDraft,
  { wanted, expiresAt }: { wanted: readonly WantedHold[]; expiresAt: number },
  first: Planned<ReservationPlan>,
): Promise<Outcome<Reserved>> {
  const applied = await applyChange(db, {
    draft,
    planned: first,
    plan: () => planReservation(db, draft, wanted),
    statements: ({ items }) => holdAll(draft, JSON.stringify(items), expiresAt),
  });
  if (!applied.ok) return applied;
  const { change, isReplay } = applied.value;
  const [rows] = await runBatch(db, [select("change_id", change.id)]);
  const reservation = reservationIn(rows);
  if (reservation === undefined) throw new Error("A reservation has no row.");
  return ok({ reservation, isReplay });
}

/** Expired holds deleted with a new reservation, which adds fewer. */
const HOLDS_DROPPED = 100;

function holdAll(draft: ChangeDraft, json: string, expiresAt: number): Statement[] {
  const place = ["l.value ->> 'product_id'", "l.value ->> 'warehouse'"] as const;
  const isShort = `SELECT 1 FROM json_each(?9) l ${joinStock(...place)}
    WHERE coalesce(s.quantity, 0) - ${heldAt(...place, "?7")} < l.value ->> 'quantity'`;
  const id = newId("RS");
  return [
    storeChange(draft, `NOT EXISTS (${isShort})`, [json]),
    {
      sql: `INSERT INTO reservations (id, change_id, expires_at, state, items)
        SELECT ?1, ?2, ?3, 'held', ?4 WHERE ${isStored("?2")} ON CONFLICT DO NOTHING`,
      values: [id, draft.id, expiresAt, json],
    },
    {
      sql: `INSERT OR IGNORE INTO holds (product_id, warehouse, reservation_id, quantity, expires_at)
        SELECT ${place.join(", ")}, ?1, l.value ->> 'quantity', ?3 FROM json_each(?4) l WHERE ${isStored("?2")}`,
      values: [id, draft.id, expiresAt, json],
    },
    // Expired holds hold nothing; they are deleted so that they do not add up.
    {
      sql: `DELETE FROM holds WHERE (product_id, warehouse, reservation_id) IN (
        SELECT product_id, warehouse, reservation_id FROM holds WHERE expires_at <= ?1 LIMIT ${HOLDS_DROPPED})`,
      values: [draft.at],
    },
  ];
}

/** A reservation ends with this change: the last statements of its batch. */
const endReservation = (reservationId: string, changeId: string, state: string): Statement[] => [
  {
    sql: `UPDATE reservations SET state = ?3, ended_by = ?2 WHERE id = ?1 AND state = 'held' AND ${isStored("?2")}`,
    values: [reservationId, changeId, state],
  },
  {
    sql: `DELETE FROM holds WHERE reservation_id = ?1 AND ${isStored("?2")}`,
    values: [reservationId, changeId],
  },
];

/** Reads a reservation and plans to take its units out of stock. One that was committed leads to that change. */
export async function planCommitment(
  db: D1Database,
  draft: ChangeDraft,
  reservationId: string,
): Promise<Outcome<Planned<StockPlan>>> {
  const [rows, ends] = await runBatch(db, [select("id", reservationId), selectEnd(reservationId)]);
  const reservation = reservationIn(rows);
  if (reservation === undefined) return UNKNOWN;
  const [end] = changesIn(ends);
  if (reservation.state === "committed" && end !== undefined) return ok(alreadyStored(end));
  const [placeRows] = await runBatch(db, [selectPlaces(reservation.items, draft.at)]);
  const places = placesIn(placeRows);
  const held = reservation.items.flatMap(({ quantity }, index) => {
    const place = places[index]?.place;
    return place === undefined ? [] : [{ quantity, place }];
  });
  return planned(planCommit(reservation, held, draft.at));
}

export const commit = (
  db: D1Database,
  draft: ChangeDraft,
  reservationId: string,
  first: Planned<StockPlan>,
): Promise<Outcome<AppliedChange>> =>
  applyChange(db, {
    draft,
    planned: first,
    plan: () => planCommitment(db, draft, reservationId),
    statements: (plan) => [
      ...applyPlan(draft, plan, reservationId),
      ...endReservation(reservationId, draft.id, "committed"),
    ],
  });

/** Reads a reservation and measures its release. */
export async function planReleasing(
  db: D1Database,
  draft: ChangeDraft,
  reservationId: string,
): Promise<Outcome<ReleasePlan>> {
  const [rows, makers] = await runBatch(db, [
    select("id", reservationId),
    {
      sql: "SELECT c.principal FROM reservations r JOIN changes c ON c.id = r.change_id WHERE r.id = ?1",
      values: [reservationId],
    },
  ]);
  const reservation = reservationIn(rows);
  if (reservation === undefined) return UNKNOWN;
  const [maker] = z.array(z.object({ principal: z.string() })).parse(makers);
  const isOwn = maker?.principal === draft.principal;
  return ok(planRelease(reservation, { held: reservation.items, isOwn, now: draft.at }));
}

/** Ends a reservation, so that others can have its units. Releasing a released one changes nothing. */
export async function release(
  db: D1Database,
  draft: ChangeDraft,
  reservationId: string,
): Promise<Outcome<Reserved>> {
  const rows = await runBatch(db, [
    storeChange(draft, "EXISTS (SELECT 1 FROM reservations WHERE id = ?9 AND state = 'held')", [
      reservationId,
    ]),
    ...endReservation(reservationId, draft.id, "released"),
    selectStored(draft),
    select("id", reservationId),
  ]);
  const stored = readStored(rows.at(-2), draft);
  if (!stored.ok) return stored;
  const reservation = reservationIn(rows.at(-1));
  if (reservation === undefined) return UNKNOWN;
  if (reservation.state === "committed")
    return refuse("conflict", `It was committed. Undo that: change_id ${reservation.ended_by ?? ""}.`);
  return ok({ reservation, isReplay: stored.value === undefined });
}

const selectEnd = (reservationId: string): Statement => ({
  sql: `SELECT ${CHANGE_COLUMNS} FROM changes c WHERE c.id = (SELECT ended_by FROM reservations WHERE id = ?1)`,
  values: [reservationId],
});

const UNKNOWN = refuse("not_found", "There is no such reservation, or it ended too long ago.");
