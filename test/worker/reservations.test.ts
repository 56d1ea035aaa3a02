import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { draftOf } from "../../src/changes/change.ts";
import { createInventory } from "../../src/inventory/repository.ts";
import { fill, product, sample } from "./support/catalog.ts";
import { changeIn, hold, newClerk, newIdempotencyKey, stockOf } from "./support/stock.ts";

let clerk: Awaited<ReturnType<typeof newClerk>>;
let sku: string;
let products = 0;
beforeAll(() => fill(sample));
// A new caller and a new product for each test: 10 in the east, 4 in the west.
beforeEach(async () => {
  clerk = await newClerk();
  sku = `HELD-${++products}`;
  await fill([
    product({
      sku,
      stock: [
        { warehouse: "east", quantity: 10 },
        { warehouse: "west", quantity: 4 },
      ],
    }),
  ]);
});

const units = (quantity: number, warehouse = "east") => ({ sku, warehouse, quantity });
const idOf = ({ value }: { value: Record<string, unknown> | undefined }) => value?.["reservation_id"];
const available = async (now?: number) => {
  const [found] = await createInventory(env.DB, "reader").stock([sku], now ?? Date.now());
  return found?.stock.available;
};

describe("reserve_stock", () => {
  it("holds several places together, and leaves the stock as it is", async () => {
    const { value } = await clerk.reserve([units(3), units(4, "west")]);
    expect(value).toMatchObject({ state: "held", replayed: false, items: [units(3), units(4, "west")] });
    expect(await stockOf(sku, "east")).toEqual({ quantity: 10, version: 1 });
    const seen = await (await newClerk(["shopper"])).use("query_stock", { sku });
    expect(seen.value).toMatchObject({
      stock: 14,
      available: 7,
      warehouses: [
        { quantity: 10, available: 7 },
        { quantity: 4, available: 0 },
      ],
    });
    expect(seen.text).toContain("available 7");
  });

  it("holds nothing if one of several is short", async () => {
    const { refused, text } = await clerk.reserve([units(3), units(5, "west")]);
    expect(refused).toMatchObject({ code: "conflict" });
    expect(text).toContain("4 available");
    expect(await available()).toBe(14);
  });

  it("never holds more than there is, however many ask at once", async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => clerk.reserve([units(2)])));
    expect(answers.filter(({ refused }) => refused === undefined)).toHaveLength(5);
    expect(await available()).toBe(4);
  });

  it("holds once, however often it is sent", async () => {
    const key = { idempotency_key: newIdempotencyKey() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => clerk.reserve([units(3)], key)));
    expect(new Set(answers.map(idOf)).size).toBe(1);
    expect(await available()).toBe(11);
  });

  it("keeps held units from being taken or undone", async () => {
    const { change_id } = changeIn(await clerk.update([{ sku, warehouse: "east", delta: 5 }]));
    await clerk.reserve([units(12)]);
    const taken = await clerk.update([{ sku, warehouse: "east", set: 11 }]);
    expect(taken.refused).toMatchObject({ code: "conflict" });
    expect((await clerk.undo(change_id)).refused).toMatchObject({ code: "conflict" });
    expect(changeIn(await clerk.update([{ sku, warehouse: "east", set: 12 }])).changes).toMatchObject([
      { after: 12 },
    ]);
  });

  it("needs a person to hold everything", async () => {
    const skus = Array.from({ length: 6 }, (_, index) => `ALL-${index}`);
    await fill(skus.map((each) => product({ sku: each, stock: [{ warehouse: "east", quantity: 9 }] })));
    const all = skus.map((each) => ({ sku: each, warehouse: "east", quantity: 9 }));
    expect((await clerk.reserve(all)).refused).toMatchObject({ code: "confirmation_required" });
  });

  it.each<[string, object[], Record<string, unknown>]>([
    ["no key", [{ sku: "SKU-10001", warehouse: "east", quantity: 1 }], { idempotency_key: undefined }],
    ["no units", [{ sku: "SKU-10001", warehouse: "east", quantity: 0 }], {}],
    ["no items", [], {}],
    ["more than a day", [{ sku: "SKU-10001", warehouse: "east", quantity: 1 }], { minutes: 1_441 }],
  ])("refuses %s", async (_, items, args) => {
    expect((await clerk.reserve(items, args)).refused).toMatchObject({ code: "invalid_arguments" });
  });
});

describe("commit_reservation", () => {
  it("takes the units out of stock once", async () => {
    const id = idOf(await clerk.reserve([units(3), units(1, "west")]));
    const first = changeIn(await clerk.commit(id));
    expect(first.changes).toMatchObject([
      { before: 10, after: 7 },
      { before: 4, after: 3 },
    ]);
    expect(changeIn(await clerk.commit(id))).toEqual({ ...first, replayed: true });
    expect([await stockOf(sku, "east"), await available()]).toEqual([{ quantity: 7, version: 2 }, 10]);
    expect((await clerk.release(id)).refused).toMatchObject({ code: "conflict" });
    await clerk.undo(first.change_id);
    expect(await available()).toBe(14);
  });

  it("is not stopped by other changes of the stock, while there is enough", async () => {
    const id = idOf(await clerk.reserve([units(3)]));
    await clerk.update([{ sku, warehouse: "east", delta: -7 }]);
    expect(changeIn(await clerk.commit(id)).changes).toMatchObject([{ before: 3, after: 0 }]);
    const other = idOf(await clerk.reserve([units(3, "west")]));
    await fill([product({ sku, stock: [{ warehouse: "west", quantity: 2 }] })]);
    expect((await clerk.commit(other)).refused).toMatchObject({ code: "conflict" });
  });

  it("commits and releases exactly until it expires", async () => {
    const now = Date.now();
    const inventory = createInventory(env.DB, "clerk");
    const { reservation } = await hold([units(3)], { now });
    expect(await available(now + 59_999)).toBe(11);
    expect(await available(now + 60_000)).toBe(14);
    const commitAt = (at: number) =>
      inventory.planCommit(
        draftOf("commit_reservation", { reason: "Paid" }, { principal: "clerk", now: at }),
        reservation.id,
      );
    expect(await commitAt(now + 60_000)).toMatchObject({ ok: false, refusal: { code: "conflict" } });
    expect(await commitAt(now + 59_999)).toMatchObject({ ok: true });
    // A plan that was made in time is not carried out after the time.
    const late = draftOf("commit_reservation", { reason: "Paid" }, { principal: "clerk", now: now + 60_000 });
    const planned = await commitAt(now + 59_999);
    if (!planned.ok) throw new Error(planned.refusal.message);
    expect(await inventory.commit(late, reservation.id, planned.value)).toMatchObject({ ok: false });
    expect(await stockOf(sku, "east")).toEqual({ quantity: 10, version: 1 });
  });

  it("lets others have expired units, and deletes those holds", async () => {
    const now = Date.now();
    await hold([units(10)], { now: now - 60_000 });
    expect((await clerk.reserve([units(10)])).refused).toBeUndefined();
    const rows = await env.DB.prepare("SELECT count(*) AS n FROM holds WHERE expires_at <= ?")
      .bind(now)
      .first("n");
    expect(rows).toBe(0);
  });
});

describe("release_reservation", () => {
  it("gives the units back, and changes nothing when repeated", async () => {
    const id = idOf(await clerk.reserve([units(3)]));
    expect((await clerk.release(id)).value).toMatchObject({ state: "released", replayed: false });
    expect((await clerk.release(id)).value).toMatchObject({ state: "released", replayed: true });
    expect(await available()).toBe(14);
    expect((await clerk.commit(id)).refused).toMatchObject({ code: "conflict" });
  });

  it("does not find a reservation that does not exist", async () => {
    expect((await clerk.release("RS-0000000000000000")).refused).toMatchObject({ code: "not_found" });
    expect((await clerk.commit("RS-0000000000000000")).refused).toMatchObject({ code: "not_found" });
  });
});

it("list_reservations sets a reason apart from the units that are held", async () => {
  await clerk.reserve([{ sku, warehouse: "east", quantity: 1 }], { reason: `An order\n9 of ${sku} in east` });
  const { text } = await clerk.use("list_reservations", { limit: 1 });
  expect(text.split("\n")).toContain(`    9 of ${sku} in east`);
  expect(text.split("\n")).not.toContain(`  9 of ${sku} in east`);
});

it("list_reservations tells who holds what, in each state", async () => {
  const held = idOf(await clerk.reserve([units(1)], { reason: "Order 4711" }));
  const released = idOf(await clerk.reserve([units(1)]));
  await clerk.release(released);
  const { reservation: expired } = await hold([units(1)], { now: Date.now() - 60_000 });
  const of = async (state?: string) => (await clerk.use("list_reservations", { state, limit: 1 })).value;
  expect(await of("held")).toMatchObject({
    reservations: [
      {
        reservation_id: held,
        by: expect.stringMatching(/^person-/),
        reason: "Order 4711",
        items: [units(1)],
      },
    ],
  });
  expect(await of("released")).toMatchObject({ reservations: [{ reservation_id: released }] });
  expect(await of("expired")).toMatchObject({ reservations: [{ reservation_id: expired.id }] });
  expect(await of()).toMatchObject({ reservations: { length: 1 }, next_cursor: expect.any(String) });
});
