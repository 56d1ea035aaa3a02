import { type Head, genesis, link } from "./chain.ts";
import {
  ADMITTED,
  type Act,
  type Attempt,
  type Draft,
  type OpenAttempt,
  type Outcome,
  isAct,
} from "./records.ts";
import { callMark } from "../retries/recent-calls.ts";
import { type Run, closeRun, countOne, openRun, runKey } from "./repeats.ts";
import type { Store } from "../store.ts";
import type { State } from "../store/state-row.ts";

/** Attempts kept in memory until they are settled. */
const OPEN_MAX = 4;
/**
 * Records kept at most, whatever the retention: two for each call. At 3 KiB, of the largest, they are 7.5 GB of the 10 that a
 * Durable Object may store; at the limit as shipped they are nine days of calls without a pause.
 * https://developers.cloudflare.com/durable-objects/platform/limits/
 */
export const RECORDS_MAX = 2_500_000;

/** Records that are pruned at a time, so that no call waits long for it; the rest goes with the next alarms. */
export const PRUNED_MAX = 20_000;

/** One principal's chain of records, in its Durable Object. Nothing here waits: what one call writes commits as one. */
export class AuditLog {
  readonly #store: Store;
  #state: State | undefined;
  /**
   * The state is one of a later release that can't be read. It stays as it is: calls are served and recorded, and nobody is told
   * where the chain stands, and nothing is pruned, until a release is back that can say where the chain begins.
   */
  readonly isProvisional: boolean;
  #head: Head | undefined;
  readonly runs: Map<string, Run>;
  /** Keys of runs that have counted more than is stored. */
  readonly #unstored = new Set<string>();
  /** Attempts that are not settled yet, the latest of them: reading one back costs more than the rest of a settlement. */
  readonly #open = new Map<number, OpenAttempt>();
  /** The latest moment that was stored, when this was read back. */
  readonly latest: number;

  constructor(store: Store) {
    this.#store = store;
    const state = store.state();
    this.isProvisional = state === "unreadable";
    this.#state = state === "unreadable" ? undefined : state;
    const last = store.last();
    this.#head = last === undefined ? this.#state?.checkpoint : { seq: last.seq, hash: last.hash };
    this.runs = new Map(store.runs());
    this.latest = Math.max(last?.at ?? 0, ...[...this.runs.values()].map(({ lastAt }) => lastAt));
  }

  /** Undefined before the first record. */
  get state(): State | undefined {
    return this.#state;
  }

  get head(): Head | undefined {
    return this.#head;
  }

  /** Makes the chain's beginning at the first record, and keeps up with the policy's retention. */
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

  /** `noteId` names a request to record something, which may be sent again: `noted` finds the record by it. */
  append(draft: Draft, now: number, noteId?: string): number {
    const before = this.#head;
    if (before === undefined) throw new Error("A record before its chain.");
    const seq = before.seq + 1;
    const text = JSON.stringify({ seq, at: now, ...draft });
    const head = { seq, hash: link(before, text) };
    // Stored first: a head in memory that the storage has refused would break every later link.
    this.#store.append(now, text, head);
    this.#head = head;
    if (isAct(draft)) this.#store.noteAct(seq, noteId ?? null);
    if (draft.kind === "attempt" && draft.decision === ADMITTED) this.#keepOpen({ seq, at: now, ...draft });
    return seq;
  }

  /** The decision or change that a request has recorded already. */
  noted = (noteId: string | undefined): Act | undefined =>
    noteId === undefined ? undefined : this.#store.actOf(noteId);

  /** The outcome of an attempt that is settled already. One that memory has open is not. */
  outcomeOf = (attempt: number): Outcome | undefined =>
    this.#open.has(attempt) ? undefined : this.#store.outcomeOf(attempt);

  /** An attempt that is settled now: from memory, as a rule. */
  takeAttempt(seq: number): OpenAttempt | undefined {
    const open = this.#open.get(seq);
    this.#open.delete(seq);
    return open ?? this.#store.attempt(seq);
  }

  #keepOpen({ seq, at, name, digest, roles, correlation_id, flow }: Attempt): void {
    // The runs of ids that it named were counted when it was admitted.
    const seen = flow && { ...flow, neighbourhoods: [] };
    this.#open.set(seq, { seq, at, name, digest, roles, correlation_id, flow: seen });
    const [oldest] = this.#open.keys();
    if (this.#open.size > OPEN_MAX && oldest !== undefined) this.#open.delete(oldest);
  }

  /** Records the first of a kind in a window, and counts those behind it. `seq` is the first's. */
  fold(
    attempt: Omit<Attempt, "seq" | "at">,
    windowMs: number,
    now: number,
  ): { seq: number; isCounted: boolean } {
    const key = runKey(attempt);
    const run = this.runs.get(key);
    if (run === undefined) {
      const seq = this.append(attempt, now);
      this.runs.set(key, openRun(seq, attempt, now + windowMs));
      return { seq, isCounted: false };
    }
    if (countOne(run, attempt.weight, now, callMark(attempt))) {
      this.#saveRun(key, run);
    } else {
      this.#unstored.add(key);
    }
    return { seq: run.of, isCounted: true };
  }

  /** Whether runs have counted more than is stored. */
  get hasUnstored(): boolean {
    return this.#unstored.size > 0;
  }

  /** Stores what runs have counted. */
  storeRuns(): void {
    for (const key of this.#unstored) {
      const run = this.runs.get(key);
      if (run !== undefined) this.#saveRun(key, run);
    }
  }

  #saveRun(key: string, run: Run): void {
    this.#store.saveRun(key, run);
    this.#unstored.delete(key);
  }

  /** Writes the record of every run whose window is over, or of all. */
  closeRuns(now: number, which: "over" | "all" = "over"): void {
    for (const [key, run] of this.runs) {
      if (which === "over" && run.until > now) continue;
      this.runs.delete(key);
      this.#unstored.delete(key);
      this.#store.dropRun(key);
      const repeats = closeRun(run);
      if (repeats !== undefined) this.append(repeats, now);
    }
  }

  /**
   * Drops the records that are older than the retention, or too many; the last of them stays as the checkpoint. Gives `early`
   * if it dropped records that the retention would have kept.
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
   * Whether the index of chains has this one; only then is a missing row of D1 a finding. That it has is stored with the next
   * anchor, because the index may be told twice; that it has not is stored at once.
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
