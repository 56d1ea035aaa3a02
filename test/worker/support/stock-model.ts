/** A plain model of stock, to compare the real one with. Every operation is judged and applied at one moment. */

export interface Spot {
  /** Undefined if it is unknown. */
  quantity: number | undefined;
  /** Counts touches: a change is undone only while nothing newer touched its spots. */
  touch: number;
  /** Whether the last touch was a change that can be undone. */
  isUndoable: boolean;
}

export interface ModelLine {
  spot: string;
  before: number | undefined;
  after: number | undefined;
  touch: number;
}

interface ModelHold {
  items: { spot: string; quantity: number }[];
  expiresAt: number;
  state: "held" | "committed" | "released";
}

export type Change = { spot: string } & ({ delta: number } | { set: number });

export class StockModel {
  readonly spots = new Map<string, Spot>();
  readonly holds: ModelHold[] = [];

  spot(name: string): Spot {
    const known = this.spots.get(name) ?? { quantity: undefined, touch: 0, isUndoable: false };
    this.spots.set(name, known);
    return known;
  }

  held(spot: string, now: number, but?: ModelHold): number {
    return this.holds
      .filter((hold) => hold.state === "held" && hold.expiresAt > now && hold !== but)
      .flatMap(({ items }) => items)
      .reduce((sum, item) => sum + (item.spot === spot ? item.quantity : 0), 0);
  }

  /** Returns the lines that were applied; undefined if the change is not possible. */
  update(changes: readonly Change[], now: number): ModelLine[] | undefined {
    const wanted = changes.map((change) => {
      const { quantity } = this.spot(change.spot);
      if ("set" in change) return { spot: change.spot, after: change.set };
      return { spot: change.spot, after: quantity === undefined ? -1 : quantity + change.delta };
    });
    return this.#apply(wanted, now);
  }

  undo(lines: readonly ModelLine[], now: number): ModelLine[] | undefined {
    const changed = lines.filter(({ before, after }) => before !== after);
    const isNewest = changed.every(({ spot, touch }) => this.spot(spot).touch === touch);
    if (changed.length === 0 || !isNewest) return undefined;
    return this.#apply(
      changed.map(({ spot, before }) => ({ spot, after: before })),
      now,
    );
  }

  reserve(items: ModelHold["items"], now: number, expiresAt: number): ModelHold | undefined {
    const isPossible = items.every(
      ({ spot, quantity }) => (this.spot(spot).quantity ?? 0) - this.held(spot, now) >= quantity,
    );
    if (!isPossible) return undefined;
    const hold: ModelHold = { items, expiresAt, state: "held" };
    this.holds.push(hold);
    return hold;
  }

  /** Returns undefined if it is not possible; an empty list if it was committed before. */
  commit(hold: ModelHold, now: number): ModelLine[] | undefined {
    if (hold.state === "committed") return [];
    if (hold.state === "released" || hold.expiresAt <= now) return undefined;
    const wanted = hold.items.map(({ spot, quantity }) => ({
      spot,
      after: (this.spot(spot).quantity ?? 0) - quantity,
    }));
    const lines = this.#apply(wanted, now, hold);
    if (lines !== undefined) hold.state = "committed";
    return lines;
  }

  release(hold: ModelHold): boolean {
    if (hold.state === "committed") return false;
    hold.state = "released";
    return true;
  }

  /** The whole stock of a product, whatever is held. */
  import(spots: readonly string[], quantities: ReadonlyMap<string, number>): void {
    for (const name of spots) {
      const spot = this.spot(name);
      const stated = quantities.get(name);
      if (spot.quantity === stated && (stated === undefined || !spot.isUndoable)) continue;
      this.#touch(name, stated, false);
    }
  }

  state(name: string, quantity: number): void {
    this.#touch(name, quantity, true);
  }

  #touch(name: string, quantity: number | undefined, isUndoable: boolean): void {
    const { touch } = this.spot(name);
    this.spots.set(name, { quantity, touch: touch + 1, isUndoable });
  }

  #apply(
    wanted: readonly { spot: string; after: number | undefined }[],
    now: number,
    own?: ModelHold,
  ): ModelLine[] | undefined {
    const isPossible = wanted.every(({ spot, after = 0 }) => {
      const { quantity: before = 0 } = this.spot(spot);
      return after >= 0 && (after >= before || after >= this.held(spot, now, own));
    });
    if (!isPossible) return undefined;
    return wanted.map(({ spot, after }) => {
      const { quantity: before } = this.spot(spot);
      if (before !== after) this.#touch(spot, after, true);
      return { spot, before, after, touch: this.spot(spot).touch };
    });
  }
}
export type Hold = ModelHold;
