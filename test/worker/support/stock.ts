import { env } from "cloudflare:workers";
import * as z from "zod";
import { draftOf } from "../../../src/changes/change.ts";
import { createSupport } from "../../../src/support/repository.ts";
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
    reserve: (items: object[], args: Record<string, unknown> = {}) =>
      use("reserve_stock", { items, reason: "An order", idempotency_key: newIdempotencyKey(), ...args }),
    commit: (reservation_id: unknown) => use("commit_reservation", { reservation_id, reason: "Paid" }),
    release: (reservation_id: unknown) => use("release_reservation", { reservation_id, reason: "Not paid" }),
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
  await closeSomeTicket();
  const items = [{ sku: "SKU-10001", warehouse: "west", quantity: 1 }];
  for (const id of ["RS-0123456789abcdef", "RS-0123456789abcde0"]) {
    const { reservation } = await hold(items, { key: id });
    await env.DB.batch([
      env.DB.prepare("UPDATE reservations SET id = ?1 WHERE id = ?2").bind(id, reservation.id),
      env.DB.prepare("UPDATE holds SET reservation_id = ?1 WHERE reservation_id = ?2").bind(
        id,
        reservation.id,
      ),
    ]);
  }
}

/** Closes the last open ticket, as the example of reopen_ticket needs. */
async function closeSomeTicket(): Promise<void> {
  const id = await env.DB.prepare("SELECT max(id) AS id FROM tickets WHERE status = 'open'").first("id");
  const draft = draftOf("close_ticket", { reason: "Sent" }, { principal: "clerk", now: Date.now() });
  const support = createSupport(env.DB, { sees: "all" });
  const closed = await support.closeTicket(
    { ticketId: `T-${Number(id)}` },
    { ...draft, id: "CH-0123456789abcde0" },
  );
  if (!closed.ok) throw new Error(closed.refusal.message);
}

/** Reserves without a caller, for a minute from `now` on. */
export async function hold(
  items: { sku: string; warehouse: string; quantity: number }[],
  { key = newIdempotencyKey(), now = Date.now() }: { key?: string; now?: number } = {},
) {
  const inventory = createInventory(env.DB, "clerk");
  const args = { items, reason: "An order", idempotency_key: key };
  const draft = draftOf("reserve_stock", args, { principal: "clerk", now });
  const planned = await inventory.planReservation(draft, items);
  const order = { wanted: items, expiresAt: now + 60_000 };
  const held = planned.ok ? await inventory.reserve(draft, order, planned.value) : planned;
  if (!held.ok) throw new Error(held.refusal.message);
  return held.value;
}

export const changeIn = ({ value }: { value: unknown }) => changeSchema.parse(value);
