import { type Outcome, ok, refuse } from "../refusal.ts";
import { logSurprise } from "../telemetry/log.ts";
import type { FeedOutbox } from "./feed-outbox.ts";
import type { DeliveryOutcome, DeliveryRow, FeedRow } from "./feed-rows.ts";
import { type Delivery, type FeedState, newDelivery, refetchAt, restartAt } from "./feed-state.ts";
import type { JobResult } from "./import-job.ts";
import type { KeptState } from "./kept-state.ts";
import type { DeliveryOptions } from "./options.ts";
import type { StoredBytes } from "./stored-bytes.ts";

export const GONE = refuse("not_found", "There is no feed or upload of that id.");
export const NOT_NOW = refuse(
  "conflict",
  "The feed or upload is not in a state for that now. Look at it again.",
);

/** Milliseconds for which a sent file waits for a person. */
const HELD_MS = 7 * 24 * 60 * 60_000;

/** Outcomes that are sent to the webhook. */
const SENT = new Set<DeliveryOutcome>(["failed", "waiting", "asking"]);

/** Lets deliveries begin, fail, wait for a person and end, and tells the lists and the webhook. */
export class DeliveryLife {
  readonly #kept: KeptState;
  readonly #bytes: StoredBytes;
  readonly #outbox: FeedOutbox;

  constructor(kept: KeptState, bytes: StoredBytes, outbox: FeedOutbox) {
    this.#kept = kept;
    this.#bytes = bytes;
    this.#outbox = outbox;
  }

  /** Applies the delivery that a person has seen, or reads it again with the person's choice. */
  approve(by: string, delivery: string, choice: Partial<DeliveryOptions> | null, now: number): Outcome<null> {
    const state = this.#kept.present;
    if (state === undefined) return GONE;
    const { held, current, options } = state;
    if (held?.id !== delivery || current !== null) return NOT_NOW;
    if ((held.question === null) !== (choice === null)) return NOT_NOW;
    const next = { ...held, phase: "reading" as const, dueAt: now, starts: 0, fetches: 0, question: null };
    this.#kept.set({
      current: choice === null ? { ...next, approvedBy: by } : next,
      held: null,
      options: { ...options, ...choice },
    });
    return ok(null);
  }

  /** Discards the delivery that a person has seen. The catalog stays as it is. */
  discard(by: string, delivery: string, now: number): Outcome<null> {
    const state = this.#kept.present;
    if (state === undefined) return GONE;
    if (state.held?.id !== delivery) return NOT_NOW;
    this.#end(state.held, "discarded", now, { decided_by: by });
    this.#kept.set({ held: null });
    return ok(null);
  }

  /** Begins a delivery if one is due, and ends a sent file that was not completed or that nobody decides about. */
  keepTime(id: string, now: number): void {
    const { kind, current, held, nextAt, everyMinutes } = this.#kept.must;
    if (current === null && nextAt !== null && nextAt <= now) {
      this.#kept.set({ current: newDelivery(id, "fetching", now), nextAt: now + everyMinutes * 60_000 });
      this.noteFeed(now);
    }
    if (kind !== "upload") return;
    if (current?.phase === "receiving" && current.dueAt <= now)
      this.#fail(current, "The file was not sent completely.", now);
    if (held !== null && held.dueAt <= now) {
      this.#end(held, "discarded", now, {});
      this.#kept.set({ held: null });
    }
  }

  /** The file is the one that was applied, which then takes the place of one that waits, or the one that waits. */
  unchanged(current: Delivery, now: number, { isApplied }: { isApplied: boolean }): void {
    if (isApplied) this.#supersedeHeld(now);
    // A failed attempt is in the lists.
    if (current.fetches + current.starts > 0) this.#end(current, "unchanged", now, {});
    else this.#bytes.drop(current.id);
    this.#kept.set({ current: null, checkedAt: now });
    this.noteFeed(now);
  }

  /** The import of a delivery has ended. */
  wasRead(current: Delivery, result: JobResult, now: number): void {
    if (!this.#kept.isCurrent(current)) return;
    if (result.status === "interrupted") {
      logSurprise(result.error.cause, { what: "a feed's import" });
      this.restart(current, now);
    } else if (result.status === "unreadable") this.failed(current, result.problem, now);
    else if (result.status === "asks") this.#hold({ ...current, question: result.question }, now);
    else if (result.isApplied) this.#applied({ ...current, report: result.report }, now);
    else this.#hold({ ...current, report: result.report }, now);
  }

  #applied(current: Delivery, now: number): void {
    const { digest, validators, report, approvedBy } = current;
    this.#end(current, "applied", now, { decided_by: approvedBy });
    this.#supersedeHeld(now);
    const rows = report?.rows ?? 0;
    this.#kept.set({
      current: null,
      ...(digest !== null && validators !== null && { applied: { digest, validators, rows } }),
    });
  }

  #hold(delivery: Delivery, now: number): void {
    this.#supersedeHeld(now);
    const held: Delivery = { ...delivery, phase: "held", dueAt: now + HELD_MS };
    this.#kept.set({ current: null, held });
    this.#note(held, held.question === null ? "waiting" : "asking", now, {});
  }

  #supersedeHeld(now: number): void {
    const { held } = this.#kept.must;
    if (held === null) return;
    this.#end(held, "superseded", now, {});
    this.#kept.set({ held: null });
  }

  /** Tries again after D1 or R2 failed, or the object was reset. The catalog is whole. */
  restart(current: Delivery, now: number): void {
    if (!this.#kept.isCurrent(current)) return;
    // An import counts its starts itself.
    const starts = current.phase === "fetching" ? current.starts + 1 : Math.max(1, current.starts);
    const at = restartAt({ ...current, starts }, now);
    const problem = "The server could not work on it.";
    if (at === undefined) this.#fail(current, problem, now);
    else {
      this.#kept.set({ current: { ...current, starts, dueAt: at } });
      this.#note(current, "retrying", now, { problem });
    }
  }

  /** Fetches a feed's delivery again later, or gives it up. */
  failed(current: Delivery, problem: string, now: number): void {
    if (!this.#kept.isCurrent(current)) return;
    const { kind, nextAt } = this.#kept.must;
    const fetches = current.fetches + 1;
    const at = kind === "upload" ? undefined : refetchAt({ ...current, fetches }, nextAt, now);
    if (at === undefined) {
      this.#fail(current, problem, now);
      return;
    }
    // The next fetch may bring another file, which nobody has approved.
    const unseen = { approvedBy: null, report: null, question: null };
    const again: Delivery = {
      ...current,
      ...unseen,
      phase: "fetching",
      dueAt: at,
      fetches,
      starts: 0,
      problem,
    };
    this.#kept.set({ current: again });
    this.#note(again, "retrying", now, { problem });
  }

  /** Gives a delivery up at once. */
  giveUp(current: Delivery, problem: string, now: number): void {
    if (this.#kept.isCurrent(current)) this.#fail(current, problem, now);
  }

  /** Ends a delivery because `who`, for whom it would change the catalog, is no admin any more. A feed of theirs is paused. */
  orphaned(current: Delivery, who: string, now: number): void {
    const { kind, createdBy } = this.#kept.must;
    const isOwner = kind === "feed" && who === createdBy;
    const help = isOwner ? " Another admin can resume the feed, and owns it then." : "";
    this.giveUp(current, `${who} is no longer an admin.${help}`, now);
    if (!isOwner) return;
    this.#kept.set({ pausedAt: now, nextAt: null });
    this.noteFeed(now);
  }

  #fail(current: Delivery, problem: string, now: number): void {
    this.#end(current, "failed", now, { problem });
    this.#kept.set({ current: null });
  }

  /** Ends a delivery, and forgets its bytes. */
  #end(delivery: Delivery, outcome: DeliveryOutcome, now: number, more: Partial<DeliveryRow>): void {
    this.#bytes.drop(delivery.id);
    this.#note(delivery, outcome, now, { ended_at: now, ...more });
  }

  /** Tells the lists, and the webhook if a person should know. */
  #note(delivery: Delivery, outcome: DeliveryOutcome, now: number, more: Partial<DeliveryRow>): void {
    const { id: source, kind, name } = this.#kept.must;
    const { report, question } = delivery;
    const row: DeliveryRow = {
      id: delivery.id,
      source,
      kind,
      name,
      started_at: delivery.startedAt,
      ended_at: null,
      outcome,
      problem: null,
      report,
      question,
      decided_by: null,
      ...more,
    };
    this.#outbox.write({ delivery: row }, now);
    if (kind === "upload" || !SENT.has(outcome)) return;
    const { id, problem, started_at, ended_at } = row;
    const counts = { rows: report?.rows ?? null, bad: report?.bad ?? null, reasons: report?.reasons ?? [] };
    this.#outbox.tell({ id, source, kind, name, outcome, problem, started_at, ended_at, ...counts }, now);
  }

  /** Writes a feed's row in D1 anew. An upload has none. */
  noteFeed(now: number): void {
    const state = this.#kept.must;
    if (state.kind === "feed") this.#outbox.write({ feed: feedRow(state) }, now);
  }
}

/** The row of a feed in D1. */
export const feedRow = (state: FeedState): FeedRow => ({
  id: state.id,
  name: state.name,
  options: JSON.stringify(state.options),
  every_minutes: state.everyMinutes,
  created_at: state.createdAt,
  created_by: state.createdBy,
  paused_at: state.pausedAt,
  checked_at: state.checkedAt,
  next_at: state.nextAt,
});
