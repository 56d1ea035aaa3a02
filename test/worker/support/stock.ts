import { env } from "cloudflare:workers";
import * as z from "zod";
import { draftOf } from "../../../src/changes/change.ts";
import { createInventory } from "../../../src/inventory/repository.ts";
import { ask, signedInAs } from "./desk.ts";

const rowSchema = z.object({ quantity: z.int(), version: z.int() });

/** Returns the stored stock of a product in a warehouse; undefined if there is no row. */
export async function stockOf(sku: string, warehouse: string) {
  const found = await env.DB.prepare(
    "SELECT s.quantity, s.version FROM stock s JOIN products p ON p.id = s.product_id WHERE p.sku = ? AND s.warehouse = ?",
  )
    .bind(sku, warehouse)
    .first();
  return found === null ? undefined : rowSchema.parse(found);
}

let keys = 0;
export const newIdempotencyKey = (): string => `key-${++keys}-${crypto.randomUUID()}`;

const changeSchema = z.object({
  change_id: z.string(),
  replayed: z.boolean(),
  changes: z.array(
    z.object({
      sku: z.string(),
      warehouse: z.string(),
      before: z.int().nullable(),
      after: z.int().nullable(),
      version: z.int(),
    }),
  ),
});

/** A new user with this role, and its calls; `refused` is undefined if the call was done. */
export async function newClerk(roles = ["inventory"]) {
  const headers = await signedInAs(roles);
  const use = async (name: string, args: Record<string, unknown>) => {
    const { value, refusal, text } = await ask(headers, name, args);
    const refused = refusal === undefined ? undefined : refusalSchema.parse(refusal);
    return { value, refused, text };
  };
  return {
    headers,
    use,
    /** Changes stock with a new key and a reason, unless `args` has others. */
    update: (changes: object[], args: Record<string, unknown> = {}) =>
      use("update_inventory", { changes, reason: "Counted", idempotency_key: newIdempotencyKey(), ...args }),
    undo: (change_id: unknown, args: Record<string, unknown> = {}) =>
      use("undo_change", { change_id, reason: "A mistake", idempotency_key: newIdempotencyKey(), ...args }),
  };
}

const refusalSchema = z.looseObject({
  code: z.string(),
  hints: z.record(z.string(), z.array(z.string())).optional(),
});

/** Makes what the tools' own examples name, on the sample catalog. */
export async function makeExamples(): Promise<void> {
  const inventory = createInventory(env.DB, "clerk");
  const args = { changes: [{ sku: "SKU-10001", warehouse: "east", set: 40 }], reason: "Counted" };
  const draft = {
    ...draftOf("update_inventory", args, { principal: "clerk", now: Date.now() }),
    id: "CH-0123456789abcdef",
  };
  const planned = await inventory.planUpdate(draft, args.changes);
  const applied = planned.ok ? await inventory.update(draft, args.changes, planned.value) : planned;
  if (!applied.ok) throw new Error(applied.refusal.message);
}

export const changeIn = ({ value }: { value: unknown }) => changeSchema.parse(value);
