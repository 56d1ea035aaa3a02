import { type Rule, ruleKey } from "../rules.ts";
import { DAY } from "../window.ts";
import { Counters } from "./counters.ts";
import { Distinct } from "./distinct.ts";
import { Evicted } from "./evicted.ts";
import { Marks } from "./marks.ts";
import { Missing } from "./missing.ts";
import { Neighbours } from "./neighbours.ts";
import type { FlowRow, Part, RowChange, StoredRow } from "./part.ts";
import { PublicReads } from "./public-reads.ts";
import { Releases } from "./releases.ts";
import { Reservations } from "./reservations.ts";
import { Shown } from "./shown.ts";
import { Subjects } from "./subjects.ts";
import { Usual } from "./usual.ts";

const rethrow = (_: string, error: unknown): never => {
  throw error;
};

/** Extracts the rule's key from the key of a row that belongs to a rule. */
const RULE_OF_KEY = /^(?:c:|n:|m:progress\/)([^/]+)/;

/**
 * The detector's memory of one caller: 32 KiB at most, whatever the caller does. It consists of its rows alone: store
 * those that `takeChanges` returns after each call, and a state rebuilt from all rows makes the same decisions.
 */
export class FlowState {
  readonly evicted = new Evicted();
  readonly subjects: Subjects;
  readonly counters = new Counters();
  readonly productsOfDay = new Distinct("pd:", { keptMs: DAY, capacity: 500 });
  readonly productsOfMonth = new Distinct("pm:", { keptMs: 30 * DAY, capacity: 125 });
  readonly neighbours = new Neighbours();
  readonly inFlight = new Reservations();
  readonly publicReads = new PublicReads();
  readonly usual = new Usual();
  readonly missing = new Missing();
  readonly shown = new Shown();
  readonly releases = new Releases();
  readonly marks = new Marks();
  readonly #parts: readonly Part[];

  /** Makes an empty state for these rules. */
  constructor(rules: readonly Rule[]) {
    this.subjects = new Subjects(this.evicted, rules);
    this.#parts = [
      this.evicted,
      this.subjects,
      this.counters,
      this.productsOfDay,
      this.productsOfMonth,
      this.neighbours,
      this.inFlight,
      this.publicReads,
      this.usual,
      this.missing,
      this.shown,
      this.releases,
      this.marks,
    ];
  }

  /**
   * Rebuilds a state from its rows, in any order. Unknown rows, such as those of a later release, are skipped. Rows of
   * a rule that is gone or has another version are dropped, which `takeChanges` then reports. `unread` receives each
   * row that has another shape, for example from a later release, and the row is skipped; without `unread` the error is
   * thrown.
   */
  static of(
    rows: Iterable<StoredRow>,
    rules: readonly Rule[],
    unread: (key: string, error: unknown) => void = rethrow,
  ): FlowState {
    const state = new FlowState(rules);
    const current = new Set(rules.map(ruleKey));
    for (const row of rows) {
      const part = state.#parts.find(({ prefix }) => row.key.startsWith(prefix));
      if (part === undefined) continue;
      const key = row.key.slice(part.prefix.length);
      const rule = RULE_OF_KEY.exec(row.key)?.[1];
      if (rule !== undefined && !current.has(rule)) {
        part.changed.add(key);
        continue;
      }
      try {
        part.load(key, row.value);
      } catch (error) {
        unread(row.key, error);
      }
    }
    return state;
  }

  /** Copies a row from a state with the same rules. Does nothing if that state lacks the row. */
  takeOver(key: string, from: FlowState): void {
    for (const [index, part] of this.#parts.entries()) {
      if (!key.startsWith(part.prefix)) continue;
      const own = key.slice(part.prefix.length);
      const value = from.#parts[index]?.value(own);
      if (value === undefined) return;
      part.load(own, value);
      part.changed.add(own);
      return;
    }
  }

  rows(): FlowRow[] {
    return this.#parts.flatMap((part) =>
      [...part.keys()].flatMap((key) => {
        const value = part.value(key);
        return value === undefined ? [] : [{ key: `${part.prefix}${key}`, value }];
      }),
    );
  }

  /** Clears the changes, for users of the state that store nothing. */
  forgetChanges(): void {
    for (const part of this.#parts) part.changed.clear();
  }

  /** Returns and clears the rows changed since the last call. */
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
