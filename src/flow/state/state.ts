import { DAY } from "../window.ts";
import { Counters } from "./counters.ts";
import { Distinct } from "./distinct.ts";
import { Evicted } from "./evicted.ts";
import { Marks } from "./marks.ts";
import { Neighbours } from "./neighbours.ts";
import type { FlowRow, Part, RowChange } from "./part.ts";
import { Releases } from "./releases.ts";
import { Reservations } from "./reservations.ts";
import { Subjects } from "./subjects.ts";

/**
 * What the detector remembers of one caller: 32 KiB at most, whatever the caller does. It is its rows and no more: store
 * those that `takeChanges` names after each call, and a state made of them all decides as this one does.
 */
export class FlowState {
  readonly evicted = new Evicted();
  readonly subjects = new Subjects(this.evicted);
  readonly counters = new Counters();
  readonly productsOfDay = new Distinct("pd:", { keptMs: DAY, capacity: 512 });
  readonly productsOfMonth = new Distinct("pm:", { keptMs: 30 * DAY, capacity: 256 });
  readonly neighbours = new Neighbours();
  readonly inFlight = new Reservations();
  readonly releases = new Releases();
  readonly marks = new Marks();
  readonly #parts: readonly Part[] = [
    this.evicted,
    this.subjects,
    this.counters,
    this.productsOfDay,
    this.productsOfMonth,
    this.neighbours,
    this.inFlight,
    this.releases,
    this.marks,
  ];

  /** In any order. A row that is none of ours, such as one of a later release, is passed over. */
  static of(rows: Iterable<FlowRow>): FlowState {
    const state = new FlowState();
    for (const { key, value } of rows) {
      const part = state.#parts.find(({ prefix }) => key.startsWith(prefix));
      part?.load(key.slice(part.prefix.length), value);
    }
    return state;
  }

  rows(): FlowRow[] {
    return this.#parts.flatMap((part) =>
      [...part.keys()].flatMap((key) => {
        const value = part.value(key);
        return value === undefined ? [] : [{ key: `${part.prefix}${key}`, value }];
      }),
    );
  }

  /** The rows touched since the last time, as they are now. */
  takeChanges(): RowChange[] {
    return this.#parts.flatMap((part) => {
      const changes = [...part.changed].map((key) => ({
        key: `${part.prefix}${key}`,
        value: part.value(key),
      }));
      part.changed.clear();
      return changes;
    });
  }
}
