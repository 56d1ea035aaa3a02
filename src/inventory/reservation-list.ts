import type { D1Database } from "@cloudflare/workers-types";
import * as z from "zod";
import { shownReason } from "../changes/change.ts";
import { RESERVATION_COLUMNS, type StoredReservation, reservationSchema } from "./reservations.ts";

export const RESERVATION_STATES = ["held", "expired", "committed", "released"] as const;
export type ReservationState = (typeof RESERVATION_STATES)[number];

export interface ReservationQuestion {
  state?: ReservationState | undefined;
  limit: number;
  /** The list starts below this place in the order of reservations. */
  before: number;
  /** Milliseconds since the epoch. */
  now: number;
}

const listedRow = reservationSchema.extend({
  seq: z.int(),
  principal: z.string(),
  reason: z.string(),
  at: z.int(),
});

/** Returns the state at a time: a reservation that nobody ended expires by itself. */
export const stateAt = (
  { state, expires_at }: Pick<StoredReservation, "state" | "expires_at">,
  now: number,
): ReservationState => {
  if (state !== "held") return state === "committed" ? "committed" : "released";
  return expires_at <= now ? "expired" : "held";
};

/** The stored rows of each state, by the time ?2. */
const CONDITIONS: Record<ReservationState, string> = {
  held: "r.state = 'held' AND r.expires_at > ?2",
  expired: "r.state = 'held' AND r.expires_at <= ?2",
  committed: "r.state = 'committed' AND ?2",
  released: "r.state = 'released' AND ?2",
};

/** Reads a page of reservations, the newest first, and the place of the last one if there are older ones. */
export async function readReservations(db: D1Database, { state, limit, before, now }: ReservationQuestion) {
  const { results } = await db
    .prepare(
      `SELECT r.seq, c.principal, c.reason, c.at, ${RESERVATION_COLUMNS}
       FROM reservations r JOIN changes c ON c.id = r.change_id
       WHERE r.seq < ?1 AND ${state === undefined ? "?2" : CONDITIONS[state]} ORDER BY r.seq DESC LIMIT ?3`,
    )
    .bind(before, now, limit + 1)
    .all();
  const found = z.array(listedRow).parse(results);
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(({ id, principal, reason, at, items, ...row }) => ({
      reservation_id: id,
      state: stateAt(row, now),
      by: principal,
      reason: shownReason(reason),
      at: new Date(at).toISOString(),
      expires_at: new Date(row.expires_at).toISOString(),
      items,
    })),
    ...(found.length > limit && last !== undefined && { next: last.seq }),
  };
}
