import * as z from "zod";
import { changeIdSchema, draftOf, idempotencyKeySchema, reasonArgument } from "../changes/change.ts";
import { NOWHERE } from "../detection/labels.ts";
import { ok } from "../refusal.ts";
import { CHANGE_COST, answerChange, stockChangeSchema, stockChangeText, toolPlan } from "./stock-change.ts";
import { REPEATABLE_WRITE, defineWrite } from "./tool.ts";

export const undoChange = defineWrite({
  name: "undo_change",
  version: 1,
  title: "Undo a change",
  description: `Put everything back as it was before one change: all of it, or nothing if something newer touched it. The undo is a change itself and can be undone.
If a later step of your work fails for good, undo the earlier steps, the last one first.`,
  examples: [
    { change_id: "CH-0123456789abcdef", reason: "Wrong warehouse", idempotency_key: "7f2c9a4e-undo" },
  ],
  annotations: REPEATABLE_WRITE,
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

  async plan(args, { catalog, inventory, now }) {
    const draft = {
      ...draftOf("undo_change", args, { principal: inventory.principal, now }),
      undoes: args.change_id,
    };
    return toolPlan(catalog, draft, await inventory.planUndo(draft));
  },

  async apply(_, { inventory }, { draft, planned }) {
    const applied = await inventory.undo(draft, planned);
    return applied.ok ? ok(answerChange(applied.value)) : applied;
  },

  text: stockChangeText,
});
