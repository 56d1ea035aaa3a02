import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { draftOf } from "../../src/changes/change.ts";
import { createInventory } from "../../src/inventory/repository.ts";
import { dropOldChanges } from "../../src/changes/old-changes.ts";
import { policyInForce } from "../../src/policy/bundled.ts";
import { createSupport } from "../../src/support/repository.ts";
import { DAY_MS, admission, newObject } from "./support/admission.ts";
import { fill, product } from "./support/catalog.ts";
import { fillDesk } from "./support/desk.ts";
import { hold, newIdempotencyKey, stockOf } from "./support/stock.ts";

// Changes, their keys and ended reservations are deleted once they are old, and never before.

const NOW = 1_800_000_000_000;
const BEFORE = NOW - policyInForce().retention.changes_days * DAY_MS;
const principal = "old-clerk";
const inventory = createInventory(env.DB, principal);

let sku: string;
let products = 0;
beforeAll(async () => {
  await fill([]);
  await fillDesk();
});
beforeEach(async () => {
  sku = `OLD-${++products}`;
  await fill([product({ sku, stock: [{ warehouse: "east", quantity: 100 }] })]);
  await env.DB.batch(
    ["changes", "reservations", "holds"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)),
  );
});
afterEach(() => vi.useRealTimers());

/** Takes a unit out of stock at a time. */
async function take(at: number, idempotency_key = newIdempotencyKey()) {
  const changes = [{ sku, warehouse: "east", delta: -1 }];
  const args = { changes, reason: "Sold", idempotency_key };
  const draft = draftOf("update_inventory", args, { principal, now: at });
  const planned = await inventory.planUpdate(draft, changes);
  const taken = planned.ok ? await inventory.update(draft, changes, planned.value) : planned;
  if (!taken.ok) throw new Error(taken.refusal.message);
  return { id: taken.value.change.id, isReplay: taken.value.isReplay };
}
async function undo(change_id: string) {
  const args = { change_id, reason: "Not sold", idempotency_key: newIdempotencyKey() };
  const draft = { ...draftOf("undo_change", args, { principal, now: NOW }), undoes: change_id };
  const planned = await inventory.planUndo(draft);
  return planned.ok ? inventory.undo(draft, planned.value) : planned;
}
const drop = (slices = 100) => dropOldChanges(env.DB, { before: BEFORE, slices });
const count = async (table: string) =>
  Number(await env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first("n"));

describe("an old change", () => {
  it("goes with its lines, and the stock stays as it is", async () => {
    const { id } = await take(BEFORE - 1);
    await drop();
    expect([await count("changes"), await count("stock_changes")]).toEqual([0, 0]);
    expect(await stockOf(sku, "east")).toEqual({ quantity: 99, version: 2 });
    expect(await undo(id)).toMatchObject({ ok: false, refusal: { code: "not_found" } });
    expect(await stockOf(sku, "east")).toEqual({ quantity: 99, version: 2 });
  });

  it("keeps its key and its undo until the last millisecond", async () => {
    const key = newIdempotencyKey();
    const { id } = await take(BEFORE, key);
    await drop();
    expect(await take(BEFORE + DAY_MS, key)).toEqual({ id, isReplay: true });
    expect(await undo(id)).toMatchObject({ ok: true });
    expect(await stockOf(sku, "east")).toMatchObject({ quantity: 100 });
  });

  it("leaves newer changes of the same stock as they can be undone", async () => {
    const old = await take(BEFORE - 1);
    const { id } = await take(BEFORE);
    await drop();
    expect(await undo(old.id)).toMatchObject({ ok: false });
    expect(await undo(id)).toMatchObject({ ok: true });
    expect(await stockOf(sku, "east")).toMatchObject({ quantity: 99 });
  });

  it("of a ticket goes with the resolution that it kept", async () => {
    const desk = createSupport(env.DB, { sees: "all" });
    const close = draftOf("close_ticket", { reason: "Sent" }, { principal, now: BEFORE - 1 });
    const id = await env.DB.prepare("SELECT max(id) AS id FROM tickets WHERE status = 'open'").first("id");
    expect(await desk.closeTicket({ ticketId: `T-${Number(id)}` }, close)).toMatchObject({ ok: true });
    await drop();
    expect(await count("ticket_changes")).toBe(0);
    const reopen = draftOf("reopen_ticket", { reason: "Not sent" }, { principal, now: NOW });
    expect(await desk.reopenTicket({ ...reopen, undoes: close.id })).toMatchObject({
      ok: false,
      refusal: { code: "not_found" },
    });
  });
});

it("an old reservation goes with the change that made it, however it ended", async () => {
  const item = [{ sku, warehouse: "east", quantity: 1 }];
  const [expired, released, committed] = [
    await hold(item, { now: BEFORE - DAY_MS }),
    await hold(item, { now: BEFORE - DAY_MS }),
    await hold(item, { now: BEFORE - DAY_MS }),
  ].map(({ reservation }) => reservation.id);
  const end = draftOf("end", { reason: "Done" }, { principal, now: BEFORE - DAY_MS + 1 });
  expect(await inventory.release(end, released ?? "")).toMatchObject({ ok: true });
  const commit = draftOf("commit_reservation", { reason: "Paid" }, { principal, now: BEFORE - DAY_MS + 1 });
  const planned = await inventory.planCommit(commit, committed ?? "");
  if (!planned.ok) throw new Error(planned.refusal.message);
  await inventory.commit(commit, committed ?? "", planned.value);
  const young = await hold(item, { now: NOW - 1 });
  await drop();
  const left = await inventory.reservations({ limit: 20, before: Number.MAX_SAFE_INTEGER, now: NOW });
  expect(left.items.map(({ reservation_id }) => reservation_id)).toEqual([young.reservation.id]);
  expect(await count("holds")).toBe(1);
  for (const id of [expired, released, committed])
    expect(await inventory.planCommit(commit, id ?? "")).toMatchObject({ refusal: { code: "not_found" } });
});

it("an expired hold goes with the next reservation, and with the change that made it", async () => {
  const item = [{ sku, warehouse: "east", quantity: 1 }];
  await hold(item, { now: NOW - 60_001 });
  await hold(item, { now: NOW - 59_999 });
  await hold(item, { now: NOW });
  expect(await count("holds")).toBe(2);
  await dropOldChanges(env.DB, { before: NOW + 1, slices: 1 });
  expect(await count("holds")).toBe(0);
});

it("the alarm of any caller deletes a bounded number at a time, until none is left", async () => {
  const MANY = 130;
  await env.DB.batch(
    Array.from({ length: MANY }, (_, each) =>
      env.DB.prepare(
        "INSERT INTO changes (id, kind, principal, digest, reason, at) VALUES (?, 'x', 'x', '', '', ?)",
      ).bind(`CH-old-${each}`, BEFORE - 1),
    ),
  );
  await take(BEFORE + DAY_MS);
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  const { principal: caller, object } = newObject();
  const counts = [];
  for (let round = 0; round < 3; round++) {
    vi.setSystemTime(NOW + round);
    await object.admit(admission(caller, { refused: { permission: "permission_denied" } }));
    vi.setSystemTime(NOW + (round + 1) * 60_000);
    await runDurableObjectAlarm(object);
    counts.push(await count("changes"));
  }
  expect(counts).toEqual([31, 1, 1]);
});
