import { type Head, genesis, link } from "./chain.ts";
import {
  ADMITTED,
  type AdminEvent,
  type Attempt,
  type Draft,
  type OpenAttempt,
  type Outcome,
  isAdminEvent,
} from "./records.ts";
import { callMark } from "../retries/recent-calls.ts";
import { type OpenRepeats, repeatsRecord, countOne, startRepeats, repeatsKey } from "./repeats.ts";
import type { Store } from "../store.ts";
import type { State } from "../store/state-row.ts";

/** Unsettled attempts kept in memory. */
const OPEN_MAX = 4;
/**
 * The most records kept, whatever the retention: two for each call. At 3 KiB, the largest size, they take 7.5 of the 10 GB
 * that a Durable Object may store; at the shipped limit they are nine days of uninterrupted calls.
 * https://developers.cloudflare.com/durable-objects/platform/limits/
 */
export const RECORDS_MAX = 2_500_000;

/** Records pruned at a time, so that no call waits long; later alarms prune the rest. */
export const PRUNED_MAX = 20_000;

/** One principal's chain of records, in its Durable Object. No method waits, so the writes of one call commit together. */
export class AuditLog {
  readonly #store: Store;
  #state: State | undefined;
  /**
   * The stored state is of a newer release and unreadable, so it is left as it is. Calls are served and recorded, but nothing
   * is anchored or pruned until a release that can read where the chain begins is deployed again.
   */
  readonly isProvisional: boolean;
  #head: Head | undefined;
  readonly openRepeats: Map<string, OpenRepeats>;
  /** Keys of open repeats whose latest count is not stored yet. */
  readonly #unstored = new Set<string>();
  /** The latest unsettled attempts: reading one back costs more than the rest of a settlement. */
  readonly #open = new Map<number, OpenAttempt>();
  /** The latest stored time when this object was loaded. */
  readonly latest: number;

  constructor(store: Store) {
    this.#store = store;
    const state = store.state();
    this.isProvisional = state === "unreadable";
    this.#state = state === "unreadable" ? undefined : state;
    const last = store.last();
    this.#head = last === undefined ? this.#state?.checkpoint : { seq: last.seq, hash: last.hash };
    this.openRepeats = new Map(store.openRepeats());
    this.latest = Math.max(last?.at ?? 0, ...[...this.openRepeats.values()].map(({ lastAt }) => lastAt));
  }

  /** Undefined before the first record. */
  get state(): State | undefined {
    return this.#state;
  }

  get head(): Head | undefined {
    return this.#head;
  }

  /** Starts the chain at the first record, and follows the policy's retention. */
  begin(principal: string, retentionMs: number, now: number): void {
    if (this.#state?.retentionMs === retentionMs) return;
    if (this.isProvisional) return this.#beginProvisionally(principal, retentionMs, now);
    const checkpoint = genesis(principal, now);
    this.#save(
      this.#state === undefined
        ? { principal, startedAt: now, checkpoint, anchored: { seq: 0, at: 0 }, retentionMs, prunedAt: 0 }
        : { ...this.#state, retentionMs },
    );
    this.#head ??= checkpoint;
  }

  #beginProvisionally(principal: string, retentionMs: number, now: number): void {
    const checkpoint = this.#head ?? genesis(principal, now);
    const anchored = { seq: Number.MAX_SAFE_INTEGER, at: now };
    this.#state = { principal, startedAt: now, checkpoint, anchored, retentionMs, prunedAt: 0 };
    this.#head ??= checkpoint;
  }

  /**
   * Appends a record and returns its number. `noteId` names the request, so that `noted` finds the record if the request is
   * retried.
   */
  append(draft: Draft, now: number, noteId?: string): number {
    const before = this.#head;
    if (before === undefined) throw new Error("A record before its chain.");
    const seq = before.seq + 1;
    const text = JSON.stringify({ seq, at: now, ...draft });
    const head = { seq, hash: link(before, text) };
    // Store first: if the storage rejected a head that memory already had, every later link would be wrong.
    this.#store.append(now, text, head);
    this.#head = head;
    if (isAdminEvent(draft)) this.#store.noteAdminEvent(seq, noteId ?? null);
    if (draft.kind === "attempt" && draft.decision === ADMITTED) this.#keepOpen({ seq, at: now, ...draft });
    return seq;
  }

  /** Returns the decision or change that a request has already recorded. */
  noted = (noteId: string | undefined): AdminEvent | undefined =>
    noteId === undefined ? undefined : this.#store.adminEventOf(noteId);

  /** Returns the outcome of an attempt that is already settled. One that memory has as unsettled has none. */
  outcomeOf = (attempt: number): Outcome | undefined =>
    this.#open.has(attempt) ? undefined : this.#store.outcomeOf(attempt);

  /** Returns an attempt that is about to be settled, usually from memory. */
  takeAttempt(seq: number): OpenAttempt | undefined {
    const open = this.#open.get(seq);
    this.#open.delete(seq);
    return open ?? this.#store.attempt(seq);
  }

  #keepOpen({ seq, at, name, digest, roles, correlation_id, flow }: Attempt): void {
    // The consecutive ids that it named were already counted at admission.
    const seen = flow && { ...flow, neighbourhoods: [] };
    this.#open.set(seq, { seq, at, name, digest, roles, correlation_id, flow: seen });
    const [oldest] = this.#open.keys();
    if (this.#open.size > OPEN_MAX && oldest !== undefined) this.#open.delete(oldest);
  }

  /** Records the first attempt of a kind in a window, and counts the later ones. `seq` is the first one's. */
  fold(
    attempt: Omit<Attempt, "seq" | "at">,
    windowMs: number,
    now: number,
  ): { seq: number; isCounted: boolean } {
    const key = repeatsKey(attempt);
    const repeats = this.openRepeats.get(key);
    if (repeats === undefined) {
      const seq = this.append(attempt, now);
      this.openRepeats.set(key, startRepeats(seq, attempt, now + windowMs));
      return { seq, isCounted: false };
    }
    if (countOne(repeats, attempt.weight, now, callMark(attempt))) {
      this.#saveRepeats(key, repeats);
    } else {
      this.#unstored.add(key);
    }
    return { seq: repeats.of, isCounted: true };
  }

  /** Whether open repeats have counts that are not stored yet. */
  get hasUnstored(): boolean {
    return this.#unstored.size > 0;
  }

  /** Stores the counts of open repeats. */
  storeRepeats(): void {
    for (const key of this.#unstored) {
      const repeats = this.openRepeats.get(key);
      if (repeats !== undefined) this.#saveRepeats(key, repeats);
    }
  }

  #saveRepeats(key: string, repeats: OpenRepeats): void {
    this.#store.saveRepeats(key, repeats);
    this.#unstored.delete(key);
  }

  /** Writes the record of all repeats whose window is over, or of all. */
  closeRepeats(now: number, which: "over" | "all" = "over"): void {
    for (const [key, repeats] of this.openRepeats) {
      if (which === "over" && repeats.until > now) continue;
      this.openRepeats.delete(key);
      this.#unstored.delete(key);
      this.#store.dropRepeats(key);
      const record = repeatsRecord(repeats);
      if (record !== undefined) this.append(record, now);
    }
  }

  /**
   * Deletes records older than the retention, and the oldest if there are too many; the last deleted one stays as the
   * checkpoint. Returns `early` if the retention would have kept some of them.
   */
  prune(now: number, max = RECORDS_MAX): "early" | "due" | undefined {
    if (this.#state === undefined || this.isProvisional) return undefined;
    const { retentionMs } = this.#state;
    const last = this.#store.lastBefore(now - retentionMs, (this.#head?.seq ?? 0) - max, PRUNED_MAX);
    if (last === undefined) return undefined;
    const { seq, hash, at } = last;
    this.#save({ ...this.#state, checkpoint: { seq, hash }, prunedAt: at });
    this.#store.prune(last.seq);
    return at >= now - retentionMs ? "early" : "due";
  }

  /**
   * Notes whether the index of chains has this one; only then is a missing row in D1 a finding. `true` is stored with the
   * next anchor, because telling the index twice is harmless; `false` is stored at once.
   */
  noteIndexed(indexed: boolean): void {
    if (this.#state === undefined) return;
    const state = { ...this.#state, indexed };
    if (indexed) this.#state = state;
    else this.#save(state);
  }

  noteAnchor(seq: number, at: number): void {
    if (this.#state !== undefined) this.#save({ ...this.#state, anchored: { seq, at } });
  }

  /** Persists before memory is updated; otherwise a restart would begin a second chain. */
  #save(state: State): void {
    this.#store.saveState(state);
    this.#state = state;
  }
}
