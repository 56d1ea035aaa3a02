import * as z from "zod";
import { HINTED_SKUS, skuSchema } from "../catalog/sku.ts";
import { draftOf, idempotencyKeySchema, reasonArgument } from "../changes/change.ts";
import { NOWHERE } from "../detection/labels.ts";
import { QUANTITY_MAX } from "../inventory/plan.ts";
import { ok } from "../refusal.ts";
import { answerReservation, reservationSchema, reservationText } from "./reservation.ts";
import { PLACES_MAX, placesSchema, toolPlan, warehouseSchema } from "./stock-change.ts";
import { REPEATABLE_WRITE, defineWrite } from "./tool.ts";

const MINUTES = 15;
const MINUTES_MAX = 24 * 60;

export const reserveStock = defineWrite({
  name: "reserve_stock",
  version: 1,
  title: "Reserve stock",
  description: `Hold units of up to ${PLACES_MAX} products and warehouses together, or none of them, until they expire. Then commit_reservation takes them out of stock, or release_reservation gives them back.
For work of several steps: reserve first, do the other steps, commit last. If a step fails, release; if you can't, the reservation expires by itself. After an unclear answer send the same call again.`,
  examples: [
    {
      items: [{ sku: "SKU-10001", warehouse: "east", quantity: 1 }],
      reason: "Order 4711",
      idempotency_key: "order-4711-reserve",
    },
  ],
  annotations: { ...REPEATABLE_WRITE, destructiveHint: false },
  scope: "inventory:write",
  labels: {
    classes: ["catalog"],
    kinds: ["write"],
    subjects: NOWHERE,
    objects: { arguments: ["items[].sku"], results: ["items[].sku"], hints: HINTED_SKUS },
    cost: { records: 1, bytes: 8_000 },
  },
  input: z.strictObject({
    items: placesSchema(
      z.strictObject({
        sku: skuSchema,
        warehouse: warehouseSchema,
        quantity: z.int().min(1).max(QUANTITY_MAX),
      }),
    ),
    minutes: z.int().min(1).max(MINUTES_MAX).default(MINUTES),
    reason: reasonArgument,
    idempotency_key: idempotencyKeySchema,
  }),
  output: reservationSchema,

  async plan(args, { catalog, inventory, now }) {
    const draft = draftOf("reserve_stock", args, { principal: inventory.principal, now });
    return toolPlan(catalog, draft, await inventory.planReservation(draft, args.items));
  },

  async apply({ items, minutes }, { inventory, now }, { draft, planned }) {
    const order = { wanted: items, expiresAt: now + minutes * 60_000 };
    const reserved = await inventory.reserve(draft, order, planned);
    return reserved.ok ? ok(answerReservation(reserved.value, now)) : reserved;
  },

  text: reservationText,
});
