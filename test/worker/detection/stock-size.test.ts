import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createInventory } from "../../../src/inventory/repository.ts";
import { fill, product } from "../support/catalog.ts";
import { changeIn, newClerk, newIdempotencyKey, stockOf } from "../support/stock.ts";

const skus = Array.from({ length: 12 }, (_, index) => `SIZE-${index}`);
const everything = skus.map((sku) => ({ sku, warehouse: "east", set: 0 }));

let clerk: Awaited<ReturnType<typeof newClerk>>;
beforeAll(() => fill(skus.map((sku) => product({ sku }))));
beforeEach(async () => {
  clerk = await newClerk();
  await fill(
    skus.map((sku) =>
      product({
        sku,
        stock: [
          { warehouse: "east", quantity: 8 },
          { warehouse: "west", quantity: 0 },
        ],
      }),
    ),
  );
});
const left = async () => {
  const found = await Promise.all(skus.map((sku) => stockOf(sku, "east")));
  return found.reduce((sum, each) => sum + (each?.quantity ?? 0), 0);
};

describe("a change of much stock", () => {
  it("needs a person if it sets everything to 0, and changes nothing", async () => {
    expect((await clerk.update(everything)).refused).toMatchObject({ code: "confirmation_required" });
    expect(await left()).toBe(96);
  });

  it("needs a person if it does so by deltas, without a key or in many calls", async () => {
    const byDelta = skus.map((sku) => ({ sku, warehouse: "east", delta: -8 }));
    expect((await clerk.update(byDelta)).refused).toMatchObject({ code: "confirmation_required" });
    const other = await newClerk();
    const keyless = await other.update(everything, { idempotency_key: undefined });
    expect(keyless.refused).toMatchObject({ code: "confirmation_required" });
    const slow = await newClerk();
    const answers = [];
    for (const change of everything) answers.push(await slow.update([change]));
    expect(answers.findIndex(({ refused }) => refused?.code === "confirmation_required")).toBe(2);
  });

  it("needs a person if calls in flight do so together", async () => {
    const answers = await Promise.all(everything.map((change) => clerk.update([change])));
    expect(answers.filter(({ refused }) => refused === undefined).length).toBeLessThanOrEqual(3);
  });

  it("runs once a person agrees", async () => {
    const key = { idempotency_key: newIdempotencyKey() };
    await clerk.update(everything, key);
    const incident = await env.DB.prepare(
      "SELECT id, principal FROM incidents WHERE rule = 'stock-size' ORDER BY last_at DESC LIMIT 1",
    ).first<{ id: string; principal: string }>();
    const { id = "", principal = "" } = incident ?? {};
    await env.USER_WINDOWS.getByName(principal).decide({
      incident: id,
      decision: "released",
      by: "boss",
      note: null,
    });
    expect(changeIn(await clerk.update(everything, key)).replayed).toBe(false);
    expect(await left()).toBe(0);
  });

  it.each<[string, object[]]>([
    ["a few sold products", everything.slice(0, 2)],
    ["small corrections of many", skus.map((sku) => ({ sku, warehouse: "east", delta: -1 }))],
    ["a delivery", skus.map((sku) => ({ sku, warehouse: "east", delta: 500 }))],
    [
      "a move of everything to another warehouse",
      skus.flatMap((sku) => [
        { sku, warehouse: "east", set: 0 },
        { sku, warehouse: "west", set: 8 },
      ]),
    ],
  ])("runs without one for %s", async (_, changes) => {
    expect((await clerk.update(changes)).refused).toBeUndefined();
  });

  it("needs a person for an invented mass of stock", async () => {
    const change = { sku: skus[0], warehouse: "east", set: 1_000_000 };
    expect((await clerk.update([change])).refused).toMatchObject({ code: "confirmation_required" });
  });

  it("counts neither dry runs, nor refused calls, nor retries", async () => {
    const key = { idempotency_key: newIdempotencyKey() };
    const three = everything.slice(0, 3);
    for (let each = 0; each < 6; each++) {
      expect((await clerk.update(everything, { dry_run: true })).refused).toBeUndefined();
      const stale = three.map((change) => ({ ...change, expected_version: 9_999 }));
      expect((await clerk.update(stale)).refused).toMatchObject({ code: "conflict" });
      expect((await clerk.update(three, key)).refused).toBeUndefined();
    }
  });

  it("counts the way back too", async () => {
    const { change_id } = changeIn(
      await clerk.update(skus.map((sku) => ({ sku, warehouse: "west", set: 20 }))),
    );
    expect((await clerk.undo(change_id)).refused).toMatchObject({ code: "confirmation_required" });
  });
});

describe("stock that is held until nobody can buy", () => {
  const shop = Array.from({ length: 100 }, (_, index) => `SHOP-${index}`);
  const unitsLeft = async () => {
    const found = await createInventory(env.DB, "reader").stock(shop, Date.now());
    return found.reduce((sum, { stock }) => sum + (stock.available ?? 0), 0);
  };
  beforeEach(async () => {
    await env.DB.prepare("DELETE FROM holds").run();
    await fill(shop.map((sku) => product({ sku, stock: [{ warehouse: "east", quantity: 20 }] })));
  });

  it.each<[string, number, number]>([
    ["all of fifty products a call", 50, 20],
    ["not quite half of fifty products a call", 50, 9],
    ["a little of fifty products a call", 50, 1],
    ["all of one product a call", 1, 20],
  ])("needs a person long before: %s", async (_, products, quantity) => {
    const before = await unitsLeft();
    const codes = [];
    for (let each = 0; each < 16; each++) {
      const named = Array.from({ length: products }, (__, at) => shop[(each * products + at) % shop.length]);
      const items = named.map((sku) => ({ sku, warehouse: "east", quantity }));
      const got = await clerk.reserve(items, { minutes: 1_440 });
      codes.push(got.refused?.code);
    }
    expect(codes.at(-1)).toBe("confirmation_required");
    expect(await unitsLeft()).toBeGreaterThanOrEqual(before * 0.85);
  });

  it("needs a person to release what others hold, but not one's own", async () => {
    const other = await newClerk();
    const items = [{ sku: "SHOP-0", warehouse: "east", quantity: 1 }];
    const ids: unknown[] = [];
    while (ids.length < 17) ids.push((await other.reserve(items)).value?.["reservation_id"]);
    const codes = [];
    for (const id of ids) codes.push((await clerk.release(id)).refused?.code);
    expect(codes.indexOf("confirmation_required")).toBe(15);
    for (const id of ids) expect((await other.release(id)).refused).toBeUndefined();
  }, 60_000);
});

it("forty orders are let through, eight at a time", async () => {
  await fill([product({ sku: "ORDERED", stock: [{ warehouse: "east", quantity: 5_000 }] })]);
  for (let round = 0; round < 5; round++) {
    const items = [{ sku: "ORDERED", warehouse: "east", quantity: 2 }];
    const reserved = await Promise.all(Array.from({ length: 8 }, () => clerk.reserve(items)));
    const ids = reserved.map(({ value }) => value?.["reservation_id"]);
    const ended = await Promise.all(
      ids.map((id, each) => (each === 0 ? clerk.release(id) : clerk.commit(id))),
    );
    expect([...reserved, ...ended].flatMap(({ refused }) => refused ?? [])).toEqual([]);
  }
  expect(await stockOf("ORDERED", "east")).toMatchObject({ quantity: 5_000 - 5 * 7 * 2 });
});
