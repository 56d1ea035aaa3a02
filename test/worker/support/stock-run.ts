import assert from "node:assert/strict";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { type ChangeDraft, draftOf, newId } from "../../../src/changes/change.ts";
import { createInventory } from "../../../src/inventory/repository.ts";
import { deliverStock } from "../../../src/inventory/stock-delivery.ts";
import type { Outcome } from "../../../src/refusal.ts";
import { fill, product } from "./catalog.ts";
import { type Hold, type ModelLine, StockModel } from "./stock-model.ts";

// Operations on the stock, each run on the real code and on a plain model, which must agree.

const PRODUCTS = 2;
const WAREHOUSES = ["east", "west"];
const MINUTE = 60_000;
const START = 1_800_000_000_000;

const index = fc.nat({ max: 30 });
const spotIndex = fc.nat({ max: PRODUCTS * WAREHOUSES.length - 1 });
const few = fc.nat({ max: 9 });
const change = fc.oneof(
  fc.record({ at: spotIndex, delta: fc.integer({ min: -6, max: 6 }).filter((delta) => delta !== 0) }),
  fc.record({ at: spotIndex, set: few }),
);
const places = <T extends { at: number }>(of: fc.Arbitrary<T>) =>
  fc.uniqueArray(of, { selector: ({ at }) => at, minLength: 1, maxLength: 3 });
const item = fc.record({ at: spotIndex, quantity: fc.integer({ min: 1, max: 5 }) });

/** `wait`: how many other operations run between the plan and its application. */
export const operations = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("update" as const),
      changes: places(change),
      wait: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("undo" as const), of: index, wait: fc.nat({ max: 2 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("reserve" as const),
      items: places(item),
      minutes: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("commit" as const), of: index, wait: fc.nat({ max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("release" as const), of: index }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("retry" as const), of: index }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("import" as const),
      product: fc.nat({ max: PRODUCTS - 1 }),
      quantities: fc.array(fc.option(few), { minLength: 2, maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("webhook" as const),
      at: spotIndex,
      quantity: few,
      sequence: fc.nat({ max: 12 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("time" as const),
      ms: fc.constantFrom(1, MINUTE - 1, MINUTE, 2 * MINUTE),
    }),
  },
);
type Operation = typeof operations extends fc.Arbitrary<infer T> ? T : never;

let runs = 0;
let ids = 0;

interface Step {
  draft: ChangeDraft;
  /** Sends the same call again. */
  again?: (fresh: ChangeDraft) => Promise<Outcome<{ isReplay: boolean }>>;
  /** How many operations were finished when it was planned. */
  begun: number;
}

/** One run: the real stock of some new products, and the model of it. */
export interface Started {
  wait: number;
  finish: () => Promise<void>;
}

/** One run of operations. */
export class Run {
  readonly model = new StockModel();
  readonly inventory = createInventory(env.DB, "modeller");
  readonly spots: { sku: string; warehouse: string; name: string }[];
  readonly skus: string[];
  readonly changes: { id: string; lines: ModelLine[] }[] = [];
  readonly holds: { id: string; hold: Hold }[] = [];
  readonly sequences = new Map<string, number>();
  readonly done: (() => Promise<Outcome<{ isReplay: boolean }>>)[] = [];
  now = START;
  finished = 0;

  constructor() {
    const run = ++runs;
    this.skus = Array.from({ length: PRODUCTS }, (_, each) => `MODEL-${run}-${each}`);
    this.spots = this.skus.flatMap((sku) =>
      WAREHOUSES.map((warehouse) => ({ sku, warehouse, name: `${sku} ${warehouse}` })),
    );
  }

  place(at: number) {
    const spot = this.spots[at];
    if (spot === undefined) throw new Error("There is no such place.");
    return spot;
  }

  draft(kind: string, args: object): ChangeDraft {
    const asked = { ...args, reason: "A step", idempotency_key: `model-${++ids}` };
    return draftOf(kind, asked, { principal: "modeller", now: this.now });
  }

  /** The draft of a retry: another call with the same key. */
  fresh(draft: ChangeDraft): ChangeDraft {
    return { ...draft, id: newId("CH"), at: this.now };
  }

  import(product_: number, quantities: readonly (number | null)[]) {
    const sku = this.skus[product_] ?? "";
    const stated = WAREHOUSES.flatMap((warehouse, each) => {
      const quantity = quantities[each];
      return quantity === null || quantity === undefined ? [] : [{ warehouse, quantity }];
    });
    this.model.import(
      WAREHOUSES.map((warehouse) => `${sku} ${warehouse}`),
      new Map(stated.map(({ warehouse, quantity }) => [`${sku} ${warehouse}`, quantity])),
    );
    return fill([product({ sku, stock: stated })]);
  }

  /** Starts an operation; returns how to finish it, and after how many others. */
  async start(operation: Operation): Promise<Started> {
    const at = (finish: () => Promise<void>, wait = 0) => ({ wait, finish });
    const begun = this.finished;
    switch (operation.kind) {
      case "update": {
        const wanted = operation.changes.map((each) => ({ ...each, ...this.place(each.at) }));
        const draft = this.draft("update_inventory", { wanted });
        const planned = await this.inventory.planUpdate(draft, wanted);
        return at(async () => {
          const applied = planned.ok ? await this.inventory.update(draft, wanted, planned.value) : planned;
          const again = async (fresh: ChangeDraft) => {
            const plan = await this.inventory.planUpdate(fresh, wanted);
            return plan.ok ? this.inventory.update(fresh, wanted, plan.value) : plan;
          };
          await this.compare(applied, { draft, again, begun }, () =>
            this.model.update(
              wanted.map(({ name, ...each }) =>
                "set" in each ? { spot: name, set: each.set } : { spot: name, delta: each.delta },
              ),
              draft.at,
            ),
          );
        }, operation.wait);
      }
      case "undo": {
        const target = this.changes[operation.of % Math.max(1, this.changes.length)];
        if (target === undefined) return at(async () => {});
        const draft = { ...this.draft("undo_change", { change_id: target.id }), undoes: target.id };
        const planned = await this.inventory.planUndo(draft);
        return at(async () => {
          const applied = planned.ok ? await this.inventory.undo(draft, planned.value) : planned;
          const again = async (fresh: ChangeDraft) => {
            const undo = { ...fresh, undoes: target.id };
            const plan = await this.inventory.planUndo(undo);
            return plan.ok ? this.inventory.undo(undo, plan.value) : plan;
          };
          await this.compare(applied, { draft, again, begun }, () => this.model.undo(target.lines, draft.at));
        }, operation.wait);
      }
      case "reserve": {
        const wanted = operation.items.map((each) => ({ ...each, ...this.place(each.at) }));
        const draft = this.draft("reserve_stock", { wanted });
        const expiresAt = this.now + operation.minutes * MINUTE;
        return at(async () => {
          const reserve = async (fresh: ChangeDraft) => {
            const planned = await this.inventory.planReservation(fresh, wanted);
            return planned.ok ? this.inventory.reserve(fresh, { wanted, expiresAt }, planned.value) : planned;
          };
          const reserved = await reserve(draft);
          const items = wanted.map(({ name, quantity }) => ({ spot: name, quantity }));
          const hold = this.model.reserve(items, draft.at, expiresAt);
          assert.equal(reserved.ok, hold !== undefined);
          if (!reserved.ok || hold === undefined) return;
          this.holds.push({ id: reserved.value.reservation.id, hold });
          this.done.push(() => reserve(this.fresh(draft)));
        });
      }
      case "commit": {
        const target = this.holds[operation.of % Math.max(1, this.holds.length)];
        if (target === undefined) return at(async () => {});
        const draft = draftOf(
          "commit_reservation",
          { reason: "Paid" },
          { principal: "modeller", now: this.now },
        );
        const planned = await this.inventory.planCommit(draft, target.id);
        return at(async () => {
          const applied = planned.ok ? await this.inventory.commit(draft, target.id, planned.value) : planned;
          await this.compare(applied, { draft, begun }, () => this.model.commit(target.hold, draft.at));
        }, operation.wait);
      }
      case "release": {
        const target = this.holds[operation.of % Math.max(1, this.holds.length)];
        if (target === undefined) return at(async () => {});
        const draft = draftOf(
          "release_reservation",
          { reason: "Not paid" },
          { principal: "modeller", now: this.now },
        );
        return at(async () => {
          const released = await this.inventory.release(draft, target.id);
          assert.equal(released.ok, this.model.release(target.hold));
        });
      }
      case "retry": {
        const again = this.done[operation.of % Math.max(1, this.done.length)];
        return at(async () => {
          if (again === undefined) return;
          const repeated = await again();
          assert.equal(repeated.ok && repeated.value.isReplay, true);
        });
      }
      case "import":
        return at(() => this.import(operation.product, operation.quantities));
      case "webhook": {
        const { sku, warehouse, name } = this.place(operation.at);
        const { quantity, sequence } = operation;
        return at(async () => {
          const draft = this.draft("stock_webhook", {});
          const { applied } = await deliverStock(env.DB, draft, [{ sku, warehouse, quantity, sequence }]);
          const isNewer = sequence > (this.sequences.get(name) ?? -1);
          assert.equal(applied, isNewer ? 1 : 0);
          if (!isNewer) return;
          this.sequences.set(name, sequence);
          this.model.state(name, quantity);
        });
      }
      case "time":
        this.now += operation.ms;
        return at(async () => {});
      default:
        throw new Error("There is no such operation.");
    }
  }

  /** A change must be the one that the model makes at this moment; a refused one must be impossible, or overtaken. */
  async compare(
    applied: Outcome<{ isReplay: boolean; change: { id: string } }>,
    { draft, again, begun }: Step,
    inModel: () => ModelLine[] | undefined,
  ): Promise<void> {
    if (!applied.ok) {
      assert.equal(applied.refusal.code, "conflict");
      if (begun === this.finished) assert.equal(inModel(), undefined);
      return;
    }
    const lines = inModel();
    assert.ok(lines !== undefined);
    if (applied.value.isReplay) return;
    assert.equal(applied.value.change.id, draft.id);
    this.changes.push({ id: draft.id, lines });
    if (again !== undefined) this.done.push(() => again(this.fresh(draft)));
  }

  /** The real stock is the model's: quantities, what is held, and never less than nothing. */
  async check(): Promise<void> {
    const found = await this.inventory.stock(this.skus, this.now);
    for (const { sku, warehouse, name } of this.spots) {
      const { quantity } = this.model.spot(name);
      const real = found
        .find(({ stock }) => stock.sku === sku)
        ?.stock.warehouses.find((each) => each.warehouse === warehouse);
      assert.deepEqual({ name, quantity: real?.quantity }, { name, quantity });
      if (quantity === undefined) continue;
      assert.ok(quantity >= 0);
      assert.equal(real?.available, Math.max(0, quantity - this.model.held(name, this.now)));
    }
    const units = await env.DB.prepare(
      "SELECT (SELECT total(units) FROM warehouses) AS counted, (SELECT total(quantity) FROM stock) AS stored",
    ).first();
    assert.equal(units?.["counted"], units?.["stored"]);
  }
}
