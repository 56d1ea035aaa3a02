import { DurableObject } from "cloudflare:workers";
import { Alarm } from "../caller/alarm.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";
import { logSurprise } from "../telemetry/log.ts";
import { DeliveryLife, GONE, NOT_NOW, feedRow } from "./delivery-life.ts";
import { DeliveryWork } from "./delivery-work.ts";
import { newId } from "./feed-client.ts";
import { FeedOutbox } from "./feed-outbox.ts";
import { FEEDS_MAX, deleteFeed, reserveFeed } from "./feed-rows.ts";
import { type Delivery, newDelivery } from "./feed-state.ts";
import { KeptState } from "./kept-state.ts";
import type { DeliveryOptions } from "./options.ts";
import type { Progress } from "./run-import.ts";
import { sealUrl } from "./sealed-url.ts";
import { PIECES_MAX, StorageFailed, StoredBytes } from "./stored-bytes.ts";

/** Milliseconds in which a file must be sent. */
const RECEIVING_MS = 24 * 60 * 60_000;

/** Milliseconds after which a wake that did not end is followed by another. */
const WATCH_MS = 10 * 60_000;

export interface NewFeed {
  id: string;
  kind: "feed" | "upload";
  name: string;
  /** Null for an upload. */
  url: string | null;
  options: DeliveryOptions;
  everyMinutes: number;
  createdBy: string;
}

/** A feed or an upload now. `phase` is null while nothing is fetched or read. */
export interface FeedStatus {
  kind: NewFeed["kind"];
  /** The URL without its query and credentials, or the file's name. */
  name: string;
  /** The admin who added a feed or resumed it last, or who sent a file. */
  created_by: string;
  phase: Delivery["phase"] | null;
  progress: Progress | null;
  /** The last attempt of the delivery failed, and is repeated at this time. */
  retry: { at: number; problem: string } | null;
  /** The delivery that waits for a person. */
  held: { id: string; report: Delivery["report"]; question: Delivery["question"] } | null;
  next_at: number | null;
  paused: boolean;
}

/**
 * One feed, or one upload: fetches on schedule, stores the bytes, and imports them in wakes of bounded size. Its alarm does all
 * work; a request only changes the state. After a reset the import begins again, and finds the rows that it has staged.
 */
export class CatalogFeed extends DurableObject<Env> {
  readonly #kept: KeptState;
  readonly #bytes: StoredBytes;
  readonly #outbox: FeedOutbox;
  readonly #life: DeliveryLife;
  readonly #alarm: Alarm;
  readonly #work: DeliveryWork;
  #isRinging = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    this.#kept = new KeptState(sql);
    this.#bytes = new StoredBytes(sql, env);
    this.#outbox = new FeedOutbox(sql, env);
    this.#life = new DeliveryLife(this.#kept, this.#bytes, this.#outbox);
    this.#work = new DeliveryWork(env, this.#kept, this.#bytes, this.#life);
    this.#alarm = new Alarm(ctx.storage);
    void ctx.blockConcurrencyWhile(async () => {
      await this.#alarm.read();
      // Cloudflare gives up an alarm that fails six times.
      if (this.#kept.any !== undefined) this.#schedule();
    });
  }

  /** Begins a feed, which is fetched at once, or an upload, whose pieces follow. Refuses a feed too many. */
  async create({ url, ...given }: NewFeed): Promise<Outcome<null>> {
    const now = Date.now();
    const sealedUrl = url === null ? null : await sealUrl(url, this.env, given.id);
    this.#kept.save({
      ...given,
      sealedUrl,
      createdAt: now,
      pausedAt: null,
      checkedAt: null,
      nextAt: url === null ? null : now,
      applied: null,
      current:
        url === null ? { ...newDelivery(given.id, "receiving", now), dueAt: now + RECEIVING_MS } : null,
      held: null,
      removed: false,
    });
    let isRoom = url === null;
    try {
      isRoom ||= await reserveFeed(this.env.DB, feedRow(this.#kept.must));
    } finally {
      if (!isRoom) {
        this.#kept.forget();
        await this.ctx.storage.deleteAll();
      }
    }
    if (!isRoom) return TOO_MANY;
    this.#schedule();
    return ok(null);
  }

  status(): Outcome<FeedStatus> {
    const state = this.#kept.present;
    if (state === undefined) return GONE;
    const { kind, name, createdBy, current, held, nextAt, pausedAt } = state;
    return ok({
      kind,
      name,
      created_by: createdBy,
      phase: current?.phase ?? null,
      progress: current === null ? null : (this.#work.progress ?? null),
      retry:
        current === null || current.problem === null ? null : { at: current.dueAt, problem: current.problem },
      held: held && { id: held.id, report: held.report, question: held.question },
      next_at: nextAt,
      paused: pausedAt !== null,
    });
  }

  /** Stores a piece of an upload. */
  async receive(n: number, bytes: Uint8Array): Promise<Outcome<{ bytes: number }>> {
    const current = this.#kept.present?.current;
    if (current?.phase !== "receiving") return current === undefined ? GONE : NOT_NOW;
    if (!Number.isInteger(n) || n < 0 || n >= PIECES_MAX)
      return refuse("invalid_arguments", `A piece has a number from 0 to ${PIECES_MAX - 1}.`);
    const size = this.#bytes.bytesBeside(current.id, n) + bytes.length;
    const { max } = this.#bytes;
    if (size > max) return refuse("request_too_large", `The file has more than ${max / 1024 / 1024} MiB.`);
    try {
      await this.#bytes.put(current.id, n, bytes);
    } catch (error) {
      if (!(error instanceof StorageFailed)) throw error;
      logSurprise(error.cause, { what: "an upload" });
      return refuse("unavailable", "The file could not be stored. Send it again.");
    }
    return ok({ bytes: size });
  }

  /** All pieces of an upload are here: reads it. */
  received(pieces: number): Outcome<null> {
    const current = this.#kept.present?.current;
    if (current?.phase !== "receiving") return current === undefined ? GONE : NOT_NOW;
    if (!this.#bytes.isWhole(current.id, pieces))
      return refuse("conflict", "A part of the file is missing. Send it again.");
    const now = Date.now();
    this.#kept.set({ current: { ...current, phase: "reading", dueAt: now } });
    this.#schedule();
    return ok(null);
  }

  /** Fetches a feed now. */
  run(): Outcome<null> {
    const state = this.#kept.present;
    if (state === undefined || state.kind === "upload") return GONE;
    const now = Date.now();
    const { current } = state;
    const isWaiting = current?.phase === "fetching" && current.dueAt > now;
    if (current !== null && !isWaiting) return NOT_NOW;
    this.#kept.set({
      current: current === null ? newDelivery(newId(), "fetching", now) : { ...current, dueAt: now },
    });
    this.#schedule();
    return ok(null);
  }

  pause(): Outcome<null> {
    return this.#setPaused({ pausedAt: Date.now(), nextAt: null });
  }

  /** Fetches again from now on. The admin who wants that owns the feed. */
  resume(by: string): Outcome<null> {
    return this.#setPaused({ pausedAt: null, nextAt: Date.now(), createdBy: by });
  }

  #setPaused(changes: { pausedAt: number | null; nextAt: number | null; createdBy?: string }): Outcome<null> {
    if (this.#kept.present?.kind !== "feed") return GONE;
    this.#kept.set(changes);
    this.#life.noteFeed(Date.now());
    this.#schedule();
    return ok(null);
  }

  approve(by: string, delivery: string, choice: Partial<DeliveryOptions> | null): Outcome<null> {
    return this.#decided(this.#life.approve(by, delivery, choice, Date.now()));
  }

  discard(by: string, delivery: string): Outcome<null> {
    return this.#decided(this.#life.discard(by, delivery, Date.now()));
  }

  #decided(outcome: Outcome<null>): Outcome<null> {
    if (!outcome.ok) return outcome;
    this.#life.noteFeed(Date.now());
    this.#schedule();
    return outcome;
  }

  /** Deletes the feed. Its products and the list of its deliveries stay. */
  async remove(): Promise<void> {
    if (this.#kept.present === undefined) return;
    this.#work.stop();
    this.#kept.set({ removed: true, current: null, held: null, nextAt: null });
    this.#alarm.ringBy(Date.now());
    // An alarm that rings may be writing the row that goes. It forgets the feed at its end.
    if (!this.#isRinging) await this.#forget();
  }

  /** Deletes the row in D1, the files and the storage. The alarm tries again if that fails. */
  async #forget(): Promise<void> {
    const state = this.#kept.any;
    if (state === undefined) return;
    try {
      await deleteFeed(this.env.DB, state.id).run();
      await this.#bytes.clear();
    } catch (error) {
      logSurprise(error, { what: "removing a feed" });
      this.#alarm.ringAt(Date.now() + WATCH_MS);
      return;
    }
    this.#kept.forget();
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  override async alarm(): Promise<void> {
    this.#alarm.noteRung();
    if (this.#kept.any === undefined) return;
    // Cloudflare gives up an alarm that fails six times, as one does whose work resets the object.
    this.#alarm.ringAt(Date.now() + WATCH_MS);
    this.#isRinging = true;
    try {
      await this.#work.step(Date.now());
    } catch (error) {
      logSurprise(error, { what: "a feed" });
      const current = this.#kept.present?.current;
      if (current != null) this.#life.restart(current, Date.now());
    }
    if (this.#kept.present !== undefined) await this.#outbox.deliver(Date.now());
    await this.#bytes.sweep().catch((error: unknown) => logSurprise(error, { what: "a feed's files" }));
    this.#isRinging = false;
    if (this.#kept.present === undefined) await this.#forget();
    else this.#schedule();
  }

  #schedule(): void {
    const { kind, current, held, nextAt, removed } = this.#kept.must;
    const dues = [
      removed || this.#bytes.hasDropped ? Date.now() + WATCH_MS : undefined,
      current?.dueAt,
      kind === "upload" ? held?.dueAt : undefined,
      current === null ? (nextAt ?? undefined) : undefined,
      this.#outbox.dueAt(),
    ].filter((at) => at !== undefined);
    this.#alarm.ringAt(dues.length > 0 ? Math.min(...dues) : undefined);
  }
}

const TOO_MANY = refuse(
  "conflict",
  `This server has ${FEEDS_MAX} feeds, which is the most. Remove one first.`,
);
