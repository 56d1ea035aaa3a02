import { isRefused } from "../../../../src/detection/decision.ts";
import type { WriteSize } from "../../../../src/detection/size.ts";
import { type Place, type WantedChange, planUpdate } from "../../../../src/inventory/plan.ts";
import {
  type Reservation,
  planCommit,
  planRelease,
  planReserve,
} from "../../../../src/inventory/plan-reservation.ts";
import { policyInForce } from "../../../../src/policy/bundled.ts";
import { Caller } from "./calls.ts";

/** Units of a product. */
export interface Units {
  sku: string;
  quantity: number;
}
interface Held extends Reservation {
  items: readonly Units[];
  by: Caller;
}
/** `conflict`: the stock does not allow the call, so no rule is asked. */
export type Done = "done" | "refused" | "conflict";

/** A shop with one warehouse, in memory: real plans and the rules in force, but no database and no clock. */
export class Shop {
  readonly places: Map<string, Place>;
  readonly holds: Held[] = [];
  /** The rules that refused calls. */
  readonly refusedBy = new Set<string>();
  readonly skus: readonly string[];
  units: number;
  availableUnits: number;
  emptyProducts: number;

  constructor(products: number, units: (index: number) => number) {
    const places = Array.from({ length: products }, (_, index): Place => ({
      product_id: index,
      sku: `P-${index}`,
      status: "active",
      warehouse: "east",
      quantity: units(index),
      version: 1,
      held: 0,
    }));
    this.places = new Map(places.map((place) => [place.sku, place]));
    this.skus = [...this.places.keys()];
    this.units = places.reduce((sum, { quantity }) => sum + (quantity ?? 0), 0);
    this.availableUnits = this.units;
    this.emptyProducts = places.filter(({ quantity }) => quantity === 0).length;
  }

  newCaller = (): Caller => new Caller([...policyInForce().rules], { catalogSize: this.skus.length });
  place(sku: string): Place {
    const found = this.places.get(sku);
    if (found === undefined) throw new Error("There is no such product.");
    return found;
  }
  available = (sku: string): number => (this.place(sku).quantity ?? 0) - this.place(sku).held;

  /** Changes a product, and the sums with it. */
  #change(
    sku: string,
    { quantity = 0, held = 0 }: { quantity?: number; held?: number },
    version?: number,
  ): void {
    const place = this.place(sku);
    const before = this.available(sku);
    place.quantity = (place.quantity ?? 0) + quantity;
    place.held += held;
    place.version = version ?? place.version;
    const after = this.available(sku);
    this.units += quantity;
    this.availableUnits += after - before;
    this.emptyProducts += Number(after === 0) - Number(before === 0);
  }

  /** Ends the holds that have expired. */
  expire(now: number): void {
    for (const hold of this.holds)
      if (hold.state === "held" && hold.expires_at <= now) this.#end(hold, "expired");
  }

  /** Admits a reservation; returns how to finish it, so that several can be in flight. */
  startReserve(
    by: Caller,
    items: readonly Units[],
    minutes = 15,
  ): { done: Done; finish: () => Held | undefined } {
    const plan = planReserve(
      items.map(({ sku, quantity }) => ({ quantity, place: this.place(sku) })),
      this.units,
    );
    if (!plan.ok) return { done: "conflict", finish: () => undefined };
    const { call, decision } = by.admit(this.#call("reserve_stock", plan.value.size));
    for (const { rule } of decision.hits) this.refusedBy.add(rule);
    if (isRefused(decision.verdict)) return { done: "refused", finish: () => undefined };
    return {
      done: "done",
      finish: () => {
        by.settle(call);
        for (const { sku, quantity } of items) this.#change(sku, { held: quantity });
        const hold: Held = { id: "", state: "held", expires_at: by.now + minutes * 60_000, items, by };
        this.holds.push(hold);
        return hold;
      },
    };
  }
  reserve(by: Caller, items: readonly Units[], minutes = 15): Done {
    const { done, finish } = this.startReserve(by, items, minutes);
    finish();
    return done;
  }

  commit(by: Caller, hold: Held): Done {
    const held = hold.items.map(({ sku, quantity }) => ({ quantity, place: this.place(sku) }));
    const plan = planCommit(hold, held, by.now);
    if (!plan.ok) return "conflict";
    const done = this.#do(by, "commit_reservation", plan.value.size);
    if (done !== "done") return done;
    this.#end(hold, "committed");
    for (const { sku, before, after, version } of plan.value.lines)
      this.#change(sku, { quantity: (after ?? 0) - (before ?? 0) }, version);
    return done;
  }

  release(by: Caller, hold: Held): Done {
    const { size } = planRelease(hold, { held: hold.items, isOwn: hold.by === by, now: by.now });
    const done = this.#do(by, "release_reservation", size);
    if (done === "done") this.#end(hold, "released");
    return done;
  }

  update(by: Caller, changes: readonly Omit<WantedChange, "warehouse">[]): Done {
    const plan = planUpdate(
      changes.map((change) => ({ wanted: { ...change, warehouse: "east" }, place: this.place(change.sku) })),
      this.units,
    );
    if (!plan.ok) return "conflict";
    const done = this.#do(by, "update_inventory", plan.value.size);
    if (done === "done")
      for (const { sku, before, after, version } of plan.value.lines)
        this.#change(sku, { quantity: (after ?? 0) - (before ?? 0) }, version);
    return done;
  }

  #end(hold: Held, state: string): void {
    if (hold.state === "held")
      for (const { sku, quantity } of hold.items) this.#change(sku, { held: -quantity });
    hold.state = state;
  }

  #do(by: Caller, tool: string, size: WriteSize): Done {
    const { call, decision } = by.admit(this.#call(tool, size));
    for (const { rule } of decision.hits) this.refusedBy.add(rule);
    if (isRefused(decision.verdict)) return "refused";
    by.settle(call);
    return "done";
  }

  #call = (tool: string, size: WriteSize) => ({
    tool,
    size,
    roles: ["inventory"],
    classes: ["catalog" as const],
    kinds: ["write" as const],
    cost: { records: size.units === 0 ? 0 : 1, bytes: 12_000 },
  });
}
