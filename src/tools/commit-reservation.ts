import * as z from "zod";
import { draftOf, reasonArgument } from "../changes/change.ts";
import { NOWHERE } from "../detection/labels.ts";
import { ok } from "../refusal.ts";
import { reservationIdSchema } from "./reservation.ts";
import { CHANGE_COST, answerChange, stockChangeSchema, stockChangeText, toolPlan } from "./stock-change.ts";
import { REPEATABLE_WRITE, defineWrite } from "./tool.ts";

export const commitReservation = defineWrite({
  name: "commit_reservation",
  version: 1,
  title: "Commit a reservation",
  description: `Take the units of a reservation out of stock, once, however often it is called. undo_change puts them back.`,
  examples: [{ reservation_id: "RS-0123456789abcdef", reason: "Order 4711 was paid" }],
  annotations: REPEATABLE_WRITE,
  scope: "inventory:write",
  labels: {
    classes: ["catalog"],
    kinds: ["write"],
    subjects: NOWHERE,
    objects: { arguments: [], results: ["changes[].sku"] },
    cost: CHANGE_COST,
  },
  input: z.strictObject({ reservation_id: reservationIdSchema, reason: reasonArgument }),
  output: stockChangeSchema,

  async plan(args, { catalog, inventory, now }) {
    const draft = draftOf("commit_reservation", args, { principal: inventory.principal, now });
    return toolPlan(catalog, draft, await inventory.planCommit(draft, args.reservation_id));
  },

  async apply({ reservation_id }, { inventory }, { draft, planned }) {
    const applied = await inventory.commit(draft, reservation_id, planned);
    return applied.ok ? ok(answerChange(applied.value)) : applied;
  },

  text: stockChangeText,
});
