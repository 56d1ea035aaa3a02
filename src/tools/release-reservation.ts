import * as z from "zod";
import { draftOf, reasonArgument } from "../changes/change.ts";
import { NOWHERE } from "../detection/labels.ts";
import { ok } from "../refusal.ts";
import { answerReservation, reservationIdSchema, reservationSchema, reservationText } from "./reservation.ts";
import { toolPlan } from "./stock-change.ts";
import { REPEATABLE_WRITE, defineWrite } from "./tool.ts";

export const releaseReservation = defineWrite({
  name: "release_reservation",
  version: 1,
  title: "Release a reservation",
  description: `Give back the units that a reservation holds. Releasing twice changes nothing more.`,
  examples: [{ reservation_id: "RS-0123456789abcde0", reason: "The payment failed" }],
  annotations: REPEATABLE_WRITE,
  scope: "inventory:write",
  labels: {
    classes: ["catalog"],
    kinds: ["write"],
    subjects: NOWHERE,
    objects: { arguments: [], results: ["items[].sku"] },
    cost: { records: 1, bytes: 8_000 },
  },
  input: z.strictObject({ reservation_id: reservationIdSchema, reason: reasonArgument }),
  output: reservationSchema,

  async plan(args, { catalog, inventory, now }) {
    const draft = draftOf("release_reservation", args, { principal: inventory.principal, now });
    return toolPlan(catalog, draft, await inventory.planRelease(draft, args.reservation_id));
  },

  async apply({ reservation_id }, { inventory, now }, { draft }) {
    const released = await inventory.release(draft, reservation_id);
    return released.ok ? ok(answerReservation(released.value, now)) : released;
  },

  text: reservationText,
});
