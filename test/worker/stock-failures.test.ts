import { env } from "cloudflare:workers";
import type { D1Database } from "@cloudflare/workers-types";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { draftOf } from "../../src/changes/change.ts";
import { createInventory } from "../../src/inventory/repository.ts";
import { deliverStock } from "../../src/inventory/stock-delivery.ts";
import type { Outcome } from "../../src/refusal.ts";
import { createSupport } from "../../src/support/repository.ts";
import { fill, product } from "./support/catalog.ts";
import { fillDesk } from "./support/desk.ts";
import { hold, newIdempotencyKey, stockOf } from "./support/stock.ts";

// D1 fails at each of a write's round trips: before it runs, or after it ran, so that only the answer is lost. A retry with the
// same key then always ends in exactly one change.

beforeAll(async () => {
  await fill([]);
  await fillDesk();
});

const LOST = "Network connection lost.";

/** The database, whose batch number `failing` fails `before` it runs or `after` it ran. */
function failingAt(failing: number, when: "before" | "after"): D1Database {
  let batches = 0;
  return new Proxy(env.DB, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== "batch") return typeof value === "function" ? value.bind(target) : value;
      return async (statements: D1PreparedStatement[]) => {
        const isFailing = batches++ === failing;
        if (isFailing && when === "before") throw new Error(LOST);
        const answer = await target.batch(statements);
        if (isFailing) throw new Error(LOST);
        return answer;
      };
    },
  });
}

let products = 0;
async function newProduct(): Promise<string> {
  const sku = `FAIL-${++products}`;
  await fill([product({ sku, stock: [{ warehouse: "east", quantity: 10 }] })]);
  return sku;
}

const principal = "failing";
type Sent = (db: D1Database) => Promise<Outcome<unknown>>;
interface Case {
  /** The same call, over this database. */
  send: Sent;
  /** The stock or ticket so far. */
  state: () => Promise<unknown>;
  once: unknown;
}

const cases: Record<string, () => Promise<Case>> = {
  async update_inventory() {
    const sku = await newProduct();
    const args = {
      changes: [{ sku, warehouse: "east", delta: -3 }],
      reason: "Sold",
      idempotency_key: newIdempotencyKey(),
    };
    return {
      async send(db) {
        const inventory = createInventory(db, principal);
        const draft = draftOf("update_inventory", args, { principal, now: Date.now() });
        const planned = await inventory.planUpdate(draft, args.changes);
        return planned.ok ? inventory.update(draft, args.changes, planned.value) : planned;
      },
      state: () => stockOf(sku, "east"),
      once: { quantity: 7, version: 2 },
    };
  },
  async reserve_stock() {
    const sku = await newProduct();
    const items = [{ sku, warehouse: "east", quantity: 3 }];
    const args = { items, reason: "Order", idempotency_key: newIdempotencyKey() };
    return {
      async send(db) {
        const inventory = createInventory(db, principal);
        const draft = draftOf("reserve_stock", args, { principal, now: Date.now() });
        const planned = await inventory.planReservation(draft, items);
        const order = { wanted: items, expiresAt: Date.now() + 60_000 };
        return planned.ok ? inventory.reserve(draft, order, planned.value) : planned;
      },
      async state() {
        const [found] = await createInventory(env.DB, principal).stock([sku], Date.now());
        return found?.stock.available;
      },
      once: 7,
    };
  },
  async commit_reservation() {
    const sku = await newProduct();
    const items = [{ sku, warehouse: "east", quantity: 3 }];
    const inventory = createInventory(env.DB, principal);
    const asked = { reason: "Order", idempotency_key: newIdempotencyKey() };
    const draft = draftOf("reserve_stock", asked, { principal, now: Date.now() });
    const planned = await inventory.planReservation(draft, items);
    if (!planned.ok) throw new Error(planned.refusal.message);
    const order = { wanted: items, expiresAt: Date.now() + 60_000 };
    const reserved = await inventory.reserve(draft, order, planned.value);
    if (!reserved.ok) throw new Error(reserved.refusal.message);
    const { id } = reserved.value.reservation;
    return {
      async send(db) {
        const over = createInventory(db, principal);
        const commit = draftOf("commit_reservation", { reason: "Paid" }, { principal, now: Date.now() });
        const plan = await over.planCommit(commit, id);
        return plan.ok ? over.commit(commit, id, plan.value) : plan;
      },
      state: () => stockOf(sku, "east"),
      once: { quantity: 7, version: 2 },
    };
  },
  async release_reservation() {
    const sku = await newProduct();
    const { reservation } = await hold([{ sku, warehouse: "east", quantity: 3 }]);
    return {
      async send(db) {
        const draft = draftOf("release_reservation", { reason: "Not paid" }, { principal, now: Date.now() });
        return createInventory(db, principal).release(draft, reservation.id);
      },
      async state() {
        const [found] = await createInventory(env.DB, principal).stock([sku], Date.now());
        const ends = await env.DB.prepare(
          "SELECT count(*) AS n FROM changes WHERE id = (SELECT ended_by FROM reservations WHERE id = ?)",
        )
          .bind(reservation.id)
          .first("n");
        return { available: found?.stock.available, ends };
      },
      once: { available: 10, ends: 1 },
    };
  },
  async undo_change() {
    const sku = await newProduct();
    const changes = [{ sku, warehouse: "east", delta: -3 }];
    const inventory = createInventory(env.DB, principal);
    const draft = draftOf("update_inventory", { reason: "Sold" }, { principal, now: Date.now() });
    const planned = await inventory.planUpdate(draft, changes);
    if (!planned.ok) throw new Error(planned.refusal.message);
    await inventory.update(draft, changes, planned.value);
    const args = { change_id: draft.id, reason: "Not sold", idempotency_key: newIdempotencyKey() };
    return {
      async send(db) {
        const over = createInventory(db, principal);
        const made = draftOf("undo_change", args, { principal, now: Date.now() });
        const undo = { ...made, undoes: draft.id };
        const plan = await over.planUndo(undo);
        return plan.ok ? over.undo(undo, plan.value) : plan;
      },
      state: () => stockOf(sku, "east"),
      once: { quantity: 10, version: 3 },
    };
  },
  async close_ticket() {
    const id = await openTicket();
    const args = { reason: "Sent", idempotency_key: newIdempotencyKey() };
    const before = await ticketOf(id);
    return {
      async send(db) {
        const draft = draftOf("close_ticket", args, { principal, now: Date.now() });
        return createSupport(db, { sees: "all" }).closeTicket({ ticketId: `T-${id}` }, draft);
      },
      state: () => ticketOf(id),
      once: { status: "closed", version: before.version + 1 },
    };
  },
  async reopen_ticket() {
    const id = await openTicket();
    const before = await ticketOf(id);
    const close = draftOf("close_ticket", { reason: "Sent" }, { principal, now: Date.now() });
    const closed = await createSupport(env.DB, { sees: "all" }).closeTicket({ ticketId: `T-${id}` }, close);
    if (!closed.ok) throw new Error(closed.refusal.message);
    const args = { change_id: close.id, reason: "Not sent", idempotency_key: newIdempotencyKey() };
    return {
      async send(db) {
        const draft = draftOf("reopen_ticket", args, { principal, now: Date.now() });
        return createSupport(db, { sees: "all" }).reopenTicket({ ...draft, undoes: close.id });
      },
      state: () => ticketOf(id),
      once: { ...before, version: before.version + 2 },
    };
  },
};
const ticketSchema = z.object({ status: z.string(), version: z.int() });
const ticketOf = async (ticket: number) =>
  ticketSchema.parse(
    await env.DB.prepare("SELECT status, version FROM tickets WHERE id = ?").bind(ticket).first(),
  );
const openTicket = async () =>
  Number(await env.DB.prepare("SELECT max(id) AS id FROM tickets WHERE status <> 'closed'").first("id"));

describe.each(Object.entries(cases))("%s", (_, make) => {
  it.each(["before", "after"] as const)(
    "is done once if D1 fails %s any of its round trips",
    async (when) => {
      let steps = 0;
      for (let isFailing = true; isFailing; steps++) {
        const { send, state, once } = await make();
        const untouched = await state();
        const failed = await send(failingAt(steps, when)).catch((error: unknown) => error);
        isFailing = failed instanceof Error;
        // All of it or nothing.
        expect([untouched, once]).toContainEqual(await state());
        expect(await send(env.DB)).toMatchObject({ ok: true });
        expect(await state()).toEqual(once);
      }
      // The last round without a failure shows that each trip before it was failed.
      expect(steps).toBeGreaterThanOrEqual(2);
    },
  );
});

it("a delivery of the webhook is applied once, wherever D1 fails", async () => {
  for (const when of ["before", "after"] as const) {
    const sku = await newProduct();
    const stated = [{ sku, warehouse: "east", quantity: 4, sequence: 1 }];
    const draft = () => draftOf("stock_webhook", { reason: "Delivery" }, { principal, now: Date.now() });
    await expect(deliverStock(failingAt(0, when), draft(), stated)).rejects.toThrow(LOST);
    const again = await deliverStock(env.DB, draft(), stated);
    expect(again.applied).toBe(when === "before" ? 1 : 0);
    expect(await stockOf(sku, "east")).toEqual({ quantity: 4, version: 2 });
  }
});
