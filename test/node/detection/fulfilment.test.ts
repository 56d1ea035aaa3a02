import { describe, expect, it } from "vitest";
import { HOUR, MINUTE, START } from "./support/calls.ts";
import { type Done, Shop, type Units } from "./support/shop.ts";

// The rules about stock, as shipped: days of honest work are never interrupted, and what an attacker can take is bounded.

/** Pseudo-random numbers from 0 to 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Work {
  products: number;
  units: (random: () => number) => number;
  /** Milliseconds from one order to the next. */
  pace: number;
}

/**
 * A day of ten hours of one agent: orders of one to four products, each reserved and committed or released; eight orders at
 * once every half hour; deliveries of what ran out; and a count.
 */
function dayOf(seed: number, { products, units, pace }: Work) {
  const random = randomOf(seed);
  const whole = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const shop = new Shop(products, () => units(random));
  const usual = new Map(shop.skus.map((sku) => [sku, shop.available(sku)]));
  const agent = shop.newCaller();
  const counts = { done: 0, refused: 0, conflict: 0, orders: 0 };
  const note = (done: Done) => void counts[done]++;
  // A few products sell often.
  const popular = () => `P-${Math.floor(products * random() ** 2)}`;

  function order(): Units[] {
    const skus = new Set(Array.from({ length: whole(1, 4) }, popular));
    const many = random() < 0.02 ? 10 : 3;
    return [...skus].flatMap((sku) => {
      const quantity = Math.min(shop.available(sku), whole(1, many));
      return quantity > 0 ? [{ sku, quantity }] : [];
    });
  }
  function fulfil(orders: number): void {
    const wanted = Array.from({ length: orders }, order).filter((items) => items.length > 0);
    const started = wanted.map((items) => shop.startReserve(agent, items));
    started.forEach(({ done }) => note(done));
    const holds = started.flatMap(({ finish }) => finish() ?? []);
    counts.orders += wanted.length;
    agent.now += 20_000;
    for (const hold of holds) note(random() < 0.05 ? shop.release(agent, hold) : shop.commit(agent, hold));
  }
  /** Fills up what has nearly run out. */
  const restock = () => {
    const low = shop.skus.filter((sku) => shop.available(sku) < (usual.get(sku) ?? 0) / 5);
    for (let from = 0; from < low.length; from += 50)
      note(
        shop.update(
          agent,
          low.slice(from, from + 50).map((sku) => ({ sku, delta: usual.get(sku) ?? 1 })),
        ),
      );
  };
  /** Counts four hundred products, fifty a call. One in twenty was wrong. */
  const count = () => {
    for (const from of [0, 50, 100, 150, 200, 250, 300, 350]) {
      const found = shop.skus.slice(from, from + 50).map((sku) => {
        const { quantity, held } = shop.place(sku);
        const deviation = random() < 0.05 ? whole(-2, 1) : 0;
        return { sku, set: Math.max(held, (quantity ?? 0) + deviation) };
      });
      if (found.length > 0) note(shop.update(agent, found));
      agent.now += MINUTE;
    }
  };

  for (let next = START; next < START + 10 * HOUR; next += pace * (0.5 + random())) {
    agent.now = Math.max(agent.now, next);
    shop.expire(agent.now);
    fulfil(1);
    if (random() < pace / (HOUR / 2)) fulfil(8);
    if (random() < pace / (2 * HOUR)) restock();
  }
  count();
  restock();
  return { ...counts, refusedBy: shop.refusedBy };
}

describe("a day of honest work is not interrupted", () => {
  it.each<[string, Work]>([
    [
      "an order a minute from 400 products",
      { products: 400, units: (random) => 20 + 160 * random(), pace: MINUTE },
    ],
    [
      "an order every two minutes from 100 products",
      { products: 100, units: (random) => 500 * random(), pace: 2 * MINUTE },
    ],
    [
      "an order every five minutes from 10,000 single pieces",
      { products: 10_000, units: () => 1, pace: 5 * MINUTE },
    ],
    [
      "two orders a minute from 20,000 products",
      { products: 20_000, units: (random) => 30 * random(), pace: MINUTE / 2 },
    ],
  ])("%s", (_, work) => {
    for (let seed = 1; seed <= 10; seed++) {
      const { orders, refusedBy } = dayOf(seed, {
        ...work,
        units: (random) => Math.floor(work.units(random)),
      });
      expect(orders).toBeGreaterThan(100);
      expect([...refusedBy]).toEqual([]);
    }
  });
});

type Attack = (shop: Shop, agent: ReturnType<Shop["newCaller"]>, tries: number) => Done;

/** Attacks for a day: thirty calls at once, then one every four minutes. */
function attacked(attack: Attack, products = 400, units = 25) {
  const shop = new Shop(products, () => units);
  const agent = shop.newCaller();
  let worst = { available: shop.availableUnits, empty: 0 };
  let firstRefusal: number | undefined;
  for (let tries = 0; tries < 360; tries++) {
    agent.now = START + Math.max(0, tries - 30) * 4 * MINUTE;
    shop.expire(agent.now);
    const done = attack(shop, agent, tries);
    if (done === "refused") firstRefusal ??= tries;
    worst = {
      available: Math.min(worst.available, shop.availableUnits),
      empty: Math.max(worst.empty, shop.emptyProducts),
    };
  }
  return { taken: 1 - worst.available / (products * units), emptied: worst.empty / products, firstRefusal };
}

/** The next products that still have units, as many as a call may name or fewer. */
const next = (shop: Shop, count: number): string[] =>
  shop.skus.filter((sku) => shop.available(sku) > 0).slice(0, count);
const around = (shop: Shop, tries: number, count: number): string[] => {
  const skus = shop.skus;
  return Array.from({ length: count }, (_, each) => skus[(tries * count + each) % skus.length] ?? "");
};
/** Holds a part of each product for a day. */
const hold = (shop: Shop, agent: ReturnType<Shop["newCaller"]>, skus: string[], part: number): Done =>
  shop.reserve(
    agent,
    skus.flatMap((sku) => {
      const quantity = Math.ceil(shop.available(sku) * part);
      return quantity > 0 ? [{ sku, quantity }] : [];
    }),
    24 * 60,
  );

const ATTACKS: Record<string, Attack> = {
  "sets everything to 0": (shop, agent) =>
    shop.update(
      agent,
      next(shop, 50).map((sku) => ({ sku, set: 0 })),
    ),
  "sets one product after another to 0": (shop, agent) =>
    shop.update(
      agent,
      next(shop, 1).map((sku) => ({ sku, set: 0 })),
    ),
  "leaves one unit of everything": (shop, agent, tries) =>
    shop.update(
      agent,
      around(shop, tries, 50).map((sku) => ({ sku, set: 1 })),
    ),
  "takes a unit of everything, again and again": (shop, agent, tries) =>
    shop.update(
      agent,
      around(shop, tries, 50).map((sku) => ({ sku, delta: -1 })),
    ),
  "holds everything": (shop, agent) => hold(shop, agent, next(shop, 50), 1),
  "holds all of three products a call": (shop, agent) => hold(shop, agent, next(shop, 3), 1),
  "holds all of one product a call": (shop, agent) => hold(shop, agent, next(shop, 1), 1),
  "holds not quite half of everything, again and again": (shop, agent, tries) =>
    hold(shop, agent, around(shop, tries, 50), 0.48),
  "holds a little of everything": (shop, agent, tries) => hold(shop, agent, around(shop, tries, 50), 0.04),
};

describe("an attacker is bounded", () => {
  it.each(Object.entries(ATTACKS))("%s", (_, attack) => {
    const { taken, emptied, firstRefusal } = attacked(attack);
    expect(firstRefusal).toBeDefined();
    expect(taken).toBeLessThanOrEqual(0.2);
    expect(emptied).toBeLessThanOrEqual(0.1);
  });

  it.each([
    [8, 12],
    [12, 8],
    [40, 1],
    [100, 300],
    [5_000, 20],
  ])("in a shop of %i products with %i units each", (products, units) => {
    for (const [name, attack] of Object.entries(ATTACKS)) {
      const { taken, emptied } = attacked(attack, products, units);
      expect({ name, isBounded: taken <= 0.5 && emptied <= 0.5 }).toEqual({ name, isBounded: true });
    }
  });

  it("who releases the reservations of others is asked after fifteen", () => {
    const shop = new Shop(100, () => 100);
    const [owner, other] = [shop.newCaller(), shop.newCaller()];
    for (let each = 0; each < 40; each++) shop.reserve(owner, [{ sku: `P-${each}`, quantity: 1 }]);
    const released = shop.holds.map((held) => shop.release(other, held));
    expect(released.filter((done) => done === "done")).toHaveLength(15);
    // The owner gives all of them back.
    const own = shop.holds.filter(({ state }) => state === "held").map((held) => shop.release(owner, held));
    expect(own).not.toContain("refused");
  });

  it("who writes in a loop that never ends is asked, however little it changes", () => {
    const shop = new Shop(100, () => 100);
    const agent = shop.newCaller();
    const done = Array.from({ length: 400 }, (_, each) =>
      shop.update(agent, [{ sku: "P-1", delta: each % 2 === 0 ? 1 : -1 }]),
    );
    expect(done.indexOf("refused")).toBe(250);
  });
});
