import { DurableObject } from "cloudflare:workers";
import { randomBytes } from "node:crypto";
import { Alarm } from "../caller/alarm.ts";
import { Undecided } from "../catalog/import/read/survey.ts";
import { gzipProblem } from "../catalog/import/read/source.ts";
import { ensureMigrated } from "../database/migrate.ts";
import { openAnswer, sealAnswer } from "../identity/sealed-answer.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";
import { secretKeyOf } from "../setup/secret-key.ts";
import { logSurprise } from "../telemetry/log.ts";
import { FeedOutbox } from "./feed-outbox.ts";
import { type DeliveryOutcome, type DeliveryRow, deleteFeed } from "./feed-rows.ts";
import {
  type Delivery,
  type FeedState,
  everyMs,
  feedStateSchema,
  newDelivery,
  refetchAt,
  restartAt,
} from "./feed-state.ts";
import { DeliveryError, fetchFeed } from "./fetch-feed.ts";
import type { DeliveryOptions } from "./options.ts";
import { type Allowance, Pace } from "./pace.ts";
import { DatabaseFailed, type Progress, runImport } from "./run-import.ts";
import { BYTES_MAX, PIECES_MAX, StoredBytes } from "./stored-bytes.ts";

/**
 * The allowance of one wake. D1 takes 1,000 statements of one wake; the largest step has about 150. Reading 4 MiB takes about a second
 * of processor time, of which a wake has 30.
 */
export const ALLOWANCE: Allowance = { statements: 300, bytes: 4 * 1024 * 1024 };

const DAY_MS = 24 * 60 * 60_000;
/** Milliseconds in which a file must be sent, and for which a sent one waits for a person. */
const RECEIVING_MS = DAY_MS;
const HELD_MS = 7 * DAY_MS;

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
  kind: FeedState["kind"];
  /** The URL without its query and credentials, or the file's name. */
  name: string;
  phase: Delivery["phase"] | null;
  progress: Progress | null;
  /** The last attempt of the delivery failed, and is repeated at this time. */
  retry: { at: number; problem: string } | null;
  /** The delivery that waits for a person. */
  held: { id: string; report: Delivery["report"]; question: Delivery["question"] } | null;
  next_at: number | null;
  paused: boolean;
}

interface Job {
  delivery: string;
  pace: Pace;
  result: Promise<void>;
}

/**
 * One feed, or one upload: fetches on schedule, stores the bytes, and imports them in wakes of bounded size. Its alarm does all
 * work; a request only changes the state. After a reset the import begins again, and finds the rows that it has staged.
 */
export class CatalogFeed extends DurableObject<Env> {
  readonly #sql: SqlStorage;
  readonly #bytes: StoredBytes;
  readonly #outbox: FeedOutbox;
  readonly #alarm: Alarm;
  readonly #run = newId();
  #state: FeedState | undefined;
  #job: Job | undefined;
  #progress: Progress | undefined;
  #isRinging = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL)",
    );
    this.#bytes = new StoredBytes(this.#sql);
    this.#outbox = new FeedOutbox(this.#sql, env);
    this.#alarm = new Alarm(ctx.storage);
    const [row] = this.#sql.exec<{ json: string }>("SELECT json FROM state").toArray();
    if (row !== undefined) this.#state = feedStateSchema.parse(JSON.parse(row.json));
    void ctx.blockConcurrencyWhile(async () => {
      await this.#alarm.read();
      // Cloudflare gives up an alarm that fails six times.
      if (this.#state !== undefined) this.#schedule();
    });
  }

  /** Begins a feed, which is fetched at once, or an upload, whose pieces follow. */
  async create({ url, ...given }: NewFeed): Promise<void> {
    const now = Date.now();
    const sealedUrl = url === null ? null : sealAnswer(url, await secretKeyOf(this.env), given.id);
    this.#save({
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
    this.#changed(now);
  }

  status(): Outcome<FeedStatus> {
    const state = this.#present;
    if (state === undefined) return GONE;
    const { kind, name, current, held, nextAt, pausedAt } = state;
    return ok({
      kind,
      name,
      phase: current?.phase ?? null,
      progress: current === null ? null : (this.#progress ?? null),
      retry:
        current === null || current.problem === null ? null : { at: current.dueAt, problem: current.problem },
      held: held && { id: held.id, report: held.report, question: held.question },
      next_at: nextAt,
      paused: pausedAt !== null,
    });
  }

  /** Stores a piece of an upload. */
  receive(n: number, bytes: Uint8Array): Outcome<{ bytes: number }> {
    const current = this.#present?.current;
    if (current?.phase !== "receiving") return current === undefined ? GONE : NOT_NOW;
    if (!Number.isInteger(n) || n < 0 || n >= PIECES_MAX)
      return refuse("invalid_arguments", `A piece has a number from 0 to ${PIECES_MAX - 1}.`);
    const size = this.#bytes.bytesBeside(current.id, n) + bytes.length;
    if (size > BYTES_MAX)
      return refuse("request_too_large", `The file has more than ${BYTES_MAX / 1024 / 1024} MiB.`);
    this.#bytes.put(current.id, n, bytes);
    return ok({ bytes: size });
  }

  /** All pieces of an upload are here: reads it. */
  received(pieces: number): Outcome<null> {
    const current = this.#present?.current;
    if (current?.phase !== "receiving") return current === undefined ? GONE : NOT_NOW;
    if (!this.#bytes.isWhole(current.id, pieces))
      return refuse("conflict", "A part of the file is missing. Send it again.");
    const now = Date.now();
    this.#setCurrent({ ...current, phase: "reading", dueAt: now });
    this.#changed(now);
    return ok(null);
  }

  /** Fetches a feed now. */
  run(): Outcome<null> {
    const state = this.#present;
    if (state === undefined || state.kind === "upload") return GONE;
    const now = Date.now();
    const { current } = state;
    const isWaiting = current?.phase === "fetching" && current.dueAt > now;
    if (current !== null && !isWaiting) return NOT_NOW;
    this.#set({
      current: current === null ? newDelivery(newId(), "fetching", now) : { ...current, dueAt: now },
    });
    this.#changed(now);
    return ok(null);
  }

  pause(isPaused: boolean): Outcome<null> {
    const state = this.#present;
    if (state === undefined || state.kind === "upload") return GONE;
    const now = Date.now();
    this.#set({ pausedAt: isPaused ? now : null, nextAt: isPaused ? null : now });
    this.#changed(now);
    return ok(null);
  }

  /** Applies the delivery that a person has seen, or reads it again with the person's choice. */
  approve(by: string, delivery: string, choice: Partial<DeliveryOptions> | null): Outcome<null> {
    const state = this.#present;
    if (state === undefined) return GONE;
    const { held, current, options } = state;
    if (held?.id !== delivery || current !== null) return NOT_NOW;
    if ((held.question === null) !== (choice === null)) return NOT_NOW;
    const now = Date.now();
    const next = { ...held, phase: "reading" as const, dueAt: now, starts: 0, fetches: 0, question: null };
    this.#set({
      current: choice === null ? { ...next, approvedBy: by } : next,
      held: null,
      options: { ...options, ...choice },
    });
    this.#changed(now);
    return ok(null);
  }

  /** Discards the delivery that a person has seen. The catalog stays as it is. */
  discard(by: string, delivery: string): Outcome<null> {
    const state = this.#present;
    if (state === undefined) return GONE;
    if (state.held?.id !== delivery) return NOT_NOW;
    this.#end(state.held, "discarded", Date.now(), { decided_by: by });
    this.#set({ held: null });
    this.#changed(Date.now());
    return ok(null);
  }

  /** Deletes the feed. Its products and the list of its deliveries stay. */
  async remove(): Promise<void> {
    if (this.#present === undefined) return;
    this.#job?.pace.stop(new Error("The feed was removed."));
    this.#job = undefined;
    this.#set({ removed: true, current: null, held: null, nextAt: null });
    this.#alarm.ringBy(Date.now());
    // An alarm that rings may be writing the row that goes. It forgets the feed at its end.
    if (!this.#isRinging) await this.#forget();
  }

  /** Deletes the row in D1 and the storage. The alarm tries again if D1 fails. */
  async #forget(): Promise<void> {
    if (this.#state === undefined) return;
    try {
      await deleteFeed(this.env.DB, this.#state.id).run();
    } catch (error) {
      logSurprise(error, { what: "removing a feed" });
      this.#alarm.ringAt(Date.now() + WATCH_MS);
      return;
    }
    this.#state = undefined;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  override async alarm(): Promise<void> {
    this.#alarm.noteRung();
    if (this.#state === undefined) return;
    // Cloudflare gives up an alarm that fails six times, as one does whose work resets the object.
    this.#alarm.ringAt(Date.now() + WATCH_MS);
    this.#isRinging = true;
    try {
      await this.#step(Date.now());
    } catch (error) {
      logSurprise(error, { what: "a feed" });
      const current = this.#state?.current;
      if (current != null) this.#restart(current, Date.now());
    }
    if (this.#present !== undefined) await this.#outbox.deliver(Date.now());
    this.#isRinging = false;
    if (this.#present === undefined) await this.#forget();
    else this.#schedule();
  }

  /** Undefined if it was never made, or is being removed. */
  get #present(): FeedState | undefined {
    return this.#state?.removed === true ? undefined : this.#state;
  }

  async #step(now: number): Promise<void> {
    const state = this.#present;
    if (state === undefined) return;
    if (state.current === null && state.nextAt !== null && state.nextAt <= now) {
      this.#set({
        current: newDelivery(newId(), "fetching", now),
        nextAt: now + everyMs(state),
      });
      this.#outbox.write({ feed: this.#feedRow() }, now);
    }
    this.#forgetUpload(now);
    const current = this.#state?.current;
    if (current == null || current.dueAt > now) return;
    if (current.phase === "fetching") await this.#fetch(current);
    else if (current.phase === "reading") await this.#read(current);
  }

  /** Forgets the bytes of a file that was never sent completely, or that nobody decides about. */
  #forgetUpload(now: number): void {
    const { kind, current, held } = this.#must();
    if (kind !== "upload") return;
    if (current?.phase === "receiving" && current.dueAt <= now) {
      this.#end(current, "failed", now, { problem: "The file was not sent completely." });
      this.#set({ current: null });
    }
    if (held !== null && held.dueAt <= now) {
      this.#end(held, "discarded", now, {});
      this.#set({ held: null });
    }
  }

  async #fetch(current: Delivery): Promise<void> {
    const state = this.#must();
    try {
      const url = await this.#url(state);
      // A delivery that failed or waits is fetched again, whatever its server says of the applied one.
      const known = current.fetches === 0 && state.held === null ? (state.applied?.validators ?? null) : null;
      const { write, end } = this.#bytes.writer(current.id);
      const fetched = await fetchFeed(url, known, {
        write,
        end,
        onProgress: (done, all) => (this.#progress = { step: "fetching", done, all: all ?? undefined }),
      });
      const now = Date.now();
      if (this.#state?.current?.id !== current.id) return;
      const isSame =
        fetched.status === "unchanged" ||
        fetched.digest === state.applied?.digest ||
        fetched.digest === state.held?.digest;
      this.#set({ checkedAt: now });
      if (isSame) {
        this.#bytes.drop(current.id);
        this.#set({ current: null });
        this.#outbox.write({ feed: this.#feedRow() }, now);
        return;
      }
      const { digest, validators } = fetched;
      this.#setCurrent({ ...current, phase: "reading", dueAt: now, digest, validators });
      this.#outbox.write({ feed: this.#feedRow() }, now);
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      this.#failed(current, error.message, Date.now());
    }
  }

  async #url({ sealedUrl, id }: FeedState): Promise<string> {
    const key = await secretKeyOf(this.env);
    try {
      return openAnswer(sealedUrl ?? "", key, id);
    } catch {
      throw new DeliveryError(
        "The server's secret key has changed, so the feed's URL can't be read. Add the feed again.",
      );
    }
  }

  /** Lets the import of a delivery go on for one wake. */
  async #read(current: Delivery): Promise<void> {
    if (this.#job?.delivery !== current.id) {
      this.#progress = undefined;
      // Counted before it begins, because an import that resets the object each time must end.
      const starts = current.starts + 1;
      this.#setCurrent({ ...current, starts });
      if (restartAt({ ...current, starts }, 0) === undefined) {
        this.#failed({ ...current, fetches: Infinity }, "The import was interrupted too often.", Date.now());
        return;
      }
      this.#job = this.#begin({ ...current, starts });
    }
    const job = this.#job;
    const isOver = await Promise.race([job.result.then(() => true), job.pace.wake().then(() => false)]);
    if (isOver && this.#job === job) this.#job = undefined;
    const latest = this.#state?.current;
    if (!isOver && latest != null) this.#setCurrent({ ...latest, dueAt: Date.now() });
  }

  #begin(current: Delivery): Job {
    const pace = new Pace(ALLOWANCE);
    const state = this.#must();
    const { options, kind, applied, name } = state;
    const work = async () => {
      await ensureMigrated(this.env.DB).catch((cause: unknown) => {
        throw new DatabaseFailed("D1 could not be asked for its migrations.", { cause });
      });
      return runImport({
        input: this.#bytes.input(current.id, fileName(name), (bytes) => pace.take("bytes", bytes)),
        options,
        db: this.env.DB,
        pace,
        run: this.#run,
        version: JSON.stringify([state.id, current.id, options]),
        rowsBefore: applied?.rows ?? null,
        isUpload: kind === "upload",
        approvedBy: current.approvedBy,
        name,
        onProgress: (progress) => (this.#progress = progress),
      });
    };
    const result = work().then(
      ({ report, isApplied }) => this.#ended({ ...current, report }, isApplied),
      (error: unknown) => this.#notRead(current, error),
    );
    return { delivery: current.id, pace, result };
  }

  #ended(current: Delivery, isApplied: boolean): void {
    if (this.#state?.current?.id !== current.id) return;
    const now = Date.now();
    if (!isApplied) {
      this.#hold(current, now);
      return;
    }
    const { digest, validators, report, approvedBy } = current;
    this.#end(current, "applied", now, { decided_by: approvedBy });
    this.#supersedeHeld(now);
    const rows = report?.rows ?? 0;
    this.#set({
      current: null,
      ...(digest !== null && validators !== null && { applied: { digest, validators, rows } }),
    });
  }

  #notRead(current: Delivery, error: unknown): void {
    if (this.#state?.current?.id !== current.id) return;
    const now = Date.now();
    if (error instanceof DatabaseFailed) {
      logSurprise(error.cause, { what: "a feed's import" });
      this.#restart(current, now);
    } else if (error instanceof Undecided)
      this.#hold({ ...current, question: { asks: error.asks, text: error.message } }, now);
    else {
      const message = error instanceof Error ? error.message : String(error);
      this.#failed(current, gzipProblem(error) ?? message, now);
    }
  }

  #hold(delivery: Delivery, now: number): void {
    this.#supersedeHeld(now);
    const held: Delivery = { ...delivery, phase: "held", dueAt: now + HELD_MS };
    this.#set({ current: null, held });
    this.#note(held, held.question === null ? "waiting" : "asking", now, {});
  }

  #supersedeHeld(now: number): void {
    const held = this.#state?.held;
    if (held == null) return;
    this.#end(held, "superseded", now, {});
    this.#set({ held: null });
  }

  /** Tries again after D1 failed or the object was reset. The catalog is whole. */
  #restart(current: Delivery, now: number): void {
    if (this.#state?.current?.id !== current.id) return;
    // An import counts its starts itself.
    const starts = current.phase === "fetching" ? current.starts + 1 : Math.max(1, current.starts);
    const at = restartAt({ ...current, starts }, now);
    if (at === undefined)
      this.#failed({ ...current, fetches: Infinity }, "The server could not work on it.", now);
    else this.#setCurrent({ ...current, starts, dueAt: at });
  }

  /** Fetches a feed's delivery again later, or gives it up. */
  #failed(current: Delivery, problem: string, now: number): void {
    if (this.#state?.current?.id !== current.id) return;
    const { kind, nextAt } = this.#must();
    const fetches = current.fetches + 1;
    const at = kind === "upload" ? undefined : refetchAt({ ...current, fetches }, nextAt, now);
    if (at !== undefined) {
      // The next fetch may bring another file, which nobody has approved.
      const unseen = { approvedBy: null, report: null, question: null };
      this.#setCurrent({ ...current, ...unseen, phase: "fetching", dueAt: at, fetches, starts: 0, problem });
      return;
    }
    this.#end(current, "failed", now, { problem });
    this.#set({ current: null });
  }

  /** Ends a delivery, and forgets its bytes. */
  #end(delivery: Delivery, outcome: DeliveryOutcome, now: number, more: Partial<DeliveryRow>): void {
    this.#bytes.drop(delivery.id);
    this.#note(delivery, outcome, now, { ended_at: now, ...more });
  }

  /** Tells the dashboard, and the webhook if a person should know. */
  #note(delivery: Delivery, outcome: DeliveryOutcome, now: number, more: Partial<DeliveryRow>): void {
    const { id: source, kind, name } = this.#must();
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
    if (kind === "upload" || !["failed", "waiting", "asking"].includes(outcome)) return;
    const { id, problem, started_at, ended_at } = row;
    const counts = { rows: report?.rows ?? null, bad: report?.bad ?? null, reasons: report?.reasons ?? [] };
    this.#outbox.tell({ id, source, kind, name, outcome, problem, started_at, ended_at, ...counts }, now);
  }

  #feedRow() {
    const { id, name, options, everyMinutes, createdAt, createdBy, pausedAt, checkedAt, nextAt } =
      this.#must();
    return {
      id,
      name,
      options: JSON.stringify(options),
      every_minutes: everyMinutes,
      created_at: createdAt,
      created_by: createdBy,
      paused_at: pausedAt,
      checked_at: checkedAt,
      next_at: nextAt,
    };
  }

  /** Writes D1 and schedules the alarm after a request has changed the state. */
  #changed(now: number): void {
    if (this.#must().kind === "feed") this.#outbox.write({ feed: this.#feedRow() }, now);
    this.#schedule();
  }

  #schedule(): void {
    const { kind, current, held, nextAt, removed } = this.#must();
    const dues = [
      removed ? Date.now() + WATCH_MS : undefined,
      current?.dueAt,
      kind === "upload" ? held?.dueAt : undefined,
      current === null ? (nextAt ?? undefined) : undefined,
      this.#outbox.dueAt(),
    ].filter((at) => at !== undefined);
    this.#alarm.ringAt(dues.length > 0 ? Math.min(...dues) : undefined);
  }

  #must(): FeedState {
    if (this.#state === undefined) throw new Error("The feed was removed.");
    return this.#state;
  }

  #setCurrent(current: Delivery): void {
    this.#set({ current });
  }

  /** Stored before memory changes, so that a reset finds the same state. */
  #set(changes: Partial<FeedState>): void {
    this.#save({ ...this.#must(), ...changes });
  }

  #save(state: FeedState): void {
    this.#sql.exec("INSERT OR REPLACE INTO state (id, json) VALUES (1, ?)", JSON.stringify(state));
    this.#state = state;
  }
}

const GONE = refuse("not_found", "There is no feed or upload of that id.");
const NOT_NOW = refuse("conflict", "The feed or upload is not in a state for that now. Look at it again.");

/** Has no dash, because a command would take an id that begins with one for an option. */
export const newId = (): string => randomBytes(12).toString("hex");

/** The last part of a path, whose extension tells the format. */
const fileName = (name: string): string => name.slice(name.lastIndexOf("/") + 1);
