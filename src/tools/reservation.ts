import * as z from "zod";
import { answered } from "../detection/signals.ts";
import { RESERVATION_STATES, stateAt } from "../inventory/reservation-list.ts";
import type { Reserved } from "../inventory/reservations.ts";

// Parts of the tools about reservations.

export const reservationIdSchema = z
  .string()
  .regex(/^RS-[0-9a-f]{16}$/, "Must look like RS-0123456789abcdef")
  .describe("Such as RS-0123456789abcdef");

export const heldSchema = z.strictObject({ sku: z.string(), warehouse: z.string(), quantity: z.int() });

export const reservationSchema = z.strictObject({
  reservation_id: reservationIdSchema,
  state: z.enum(RESERVATION_STATES),
  expires_at: z.iso.datetime(),
  replayed: z.boolean().describe("True if an earlier call did this"),
  items: z.array(heldSchema),
});
type ShownReservation = z.output<typeof reservationSchema>;

/** A repeated call changes nothing, so it counts nothing. */
export const answerReservation = ({ reservation, isReplay }: Reserved, now: number) =>
  answered(
    {
      reservation_id: reservation.id,
      state: stateAt(reservation, now),
      expires_at: new Date(reservation.expires_at).toISOString(),
      replayed: isReplay,
      items: reservation.items,
    },
    { records: isReplay ? 0 : 1 },
  );

export const heldText = ({ sku, warehouse, quantity }: z.output<typeof heldSchema>): string =>
  `${quantity} of ${sku} in ${warehouse}`;

export const reservationText = ({ reservation_id, state, expires_at, replayed, items }: ShownReservation) =>
  [
    `${reservation_id}: ${state}${state === "held" ? ` until ${expires_at}` : `, would have expired ${expires_at}`}${replayed ? ", done by an earlier call" : ""}`,
    ...items.map((item) => `  ${heldText(item)}`),
  ].join("\n");
