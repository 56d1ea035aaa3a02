import { type Delivery, type FeedState, feedStateSchema } from "./feed-state.ts";

/** The state of a feed or an upload in its object's storage. It is stored before memory changes, so that a reset finds the same. */
export class KeptState {
  readonly #sql: SqlStorage;
  #state: FeedState | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL)");
    const [row] = sql.exec<{ json: string }>("SELECT json FROM state").toArray();
    if (row !== undefined) this.#state = feedStateSchema.parse(JSON.parse(row.json));
  }

  /** Undefined if it was never made, or all is deleted. */
  get any(): FeedState | undefined {
    return this.#state;
  }

  /** Undefined if it was never made, or is being removed. */
  get present(): FeedState | undefined {
    return this.#state?.removed === true ? undefined : this.#state;
  }

  get must(): FeedState {
    if (this.#state === undefined) throw new Error("The feed was removed.");
    return this.#state;
  }

  /** Whether this delivery is still the one that is worked on. */
  isCurrent({ id }: Delivery): boolean {
    return this.present?.current?.id === id;
  }

  save(state: FeedState): void {
    this.#sql.exec("INSERT OR REPLACE INTO state (id, json) VALUES (1, ?)", JSON.stringify(state));
    this.#state = state;
  }

  set(changes: Partial<FeedState>): void {
    this.save({ ...this.must, ...changes });
  }

  /** Before the storage is deleted. */
  forget(): void {
    this.#state = undefined;
  }
}
