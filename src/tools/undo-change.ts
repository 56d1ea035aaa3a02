import * as z from "zod";
import { changeIdSchema, draftOf, idempotencyKeySchema, reasonArgument } from "../changes/change.ts";
import { NOWHERE } from "../detection/labels.ts";
import { ok } from "../refusal.ts";
import { CHANGE_COST, answerChange, stockChangeSchema, stockChangeText } from "./stock-change.ts";
import { defineWrite } from "./tool.ts";

export const undoChange = defineWrite({
  name: "undo_change",
  version: 1,
  title: "Undo a change",
  description: `Put everything back as it was before one change: all of it, or nothing if something newer touched it. The undo is a change itself and can be undone.
If a later step of your work fails for good, undo the earlier steps, the last one first.`,
  examples: [
    { change_id: "CH-0123456789abcdef", reason: "Wrong warehouse", idempotency_key: "7f2c9a4e-undo" },
  ],
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  scope: "inventory:write",
  labels: {
    classes: ["catalog"],
    kinds: ["write"],
    subjects: NOWHERE,
    objects: { arguments: [], results: ["changes[].sku"] },
    cost: CHANGE_COST,
  },
  input: z.strictObject({
    change_id: changeIdSchema,
    reason: reasonArgument,
    idempotency_key: idempotencyKeySchema,
  }),
  output: stockChangeSchema,

  async plan(args, { inventory, now }) {
    const draft = {
      ...draftOf("undo_change", args, { principal: inventory.principal, now }),
      undoes: args.change_id,
    };
    const planned = await inventory.planUndo(draft);
    return planned.ok ? ok({ draft, planned: planned.value, size: planned.value.size }) : planned;
  },

  async apply(_, { inventory }, { draft, planned }) {
    const applied = await inventory.undo(draft, planned);
    return applied.ok ? ok(answerChange(applied.value)) : applied;
  },

  text: stockChangeText,
});
