import { ensureMigrated } from "../database/migrate.ts";
import { readSettings } from "../env.ts";
import { logEvent, logSurprise } from "../telemetry/log.ts";
import { writeAndCloseDropped } from "./incident-rows.ts";
import { postToWebhook } from "./incident-webhook.ts";
import type { Incident } from "./incident-record.ts";

/**
 * A retry waits as long as the incident has waited already, within these bounds, so the wait doubles from one attempt to the
 * next.
 */
const WAIT_MIN_MS = 60_000;
const WAIT_MAX_MS = 60 * 60 * 1000;
/** After this time the outbox stops posting an incident to the webhook. D1 still has it. */
const GIVE_UP_MS = 3 * 24 * WAIT_MAX_MS;

/** The incidents of one caller's object and how far each was delivered. */
export interface IncidentSource {
  ids(): string[];
  /** Incidents whose latest state is not in D1 yet. */
  unwritten(): Incident[];
  /** Incidents whose latest state is in D1 and was not sent to the webhook yet. */
  unsent(): Incident[];
  noteDelivered(snapshot: Incident, deliveryState: "database" | "everybody"): void;
}

/**
 * Delivers one principal's incidents to D1, and to the webhook if one is set. Only one delivery runs at a time; otherwise an
 * older state of an incident could be written last. The next alarm retries what failed.
 */
export class IncidentOutbox {
  readonly #env: Env;
  readonly #incidents: () => IncidentSource;
  #writing: Promise<void> | undefined;
  #posting: Promise<void> | undefined;
  /** While the webhook is down, nothing is posted until this time; otherwise each new incident would post all of them again. */
  #downUntil = 0;
  #downSince: number | undefined;
  /**
   * When to post a rejected incident again. The key is one state of an incident, so a later state starts anew. An eviction
   * loses this map, which costs one attempt.
   */
  readonly #dueAt = new WeakMap<Incident, number>();

  /** `incidents` returns the current source: it is replaced when the object deletes its storage. */
  constructor(env: Env, incidents: () => IncidentSource) {
    this.#env = env;
    this.#incidents = incidents;
  }

  /** Writes to D1, then posts to the webhook. Never throws: failed incidents stay undelivered. */
  async deliver(): Promise<void> {
    // D1 comes first so that a broken webhook can't keep incidents from the dashboard.
    await this.write();
    // `finally` runs after this assignment, even if nothing was due.
    this.#posting ??= this.#postAll().finally(() => (this.#posting = undefined));
    await this.#posting;
  }

  /** Writes to D1 only. */
  write(): Promise<void> {
    this.#writing ??= this.#writeAll();
    return this.#writing;
  }

  /** When to retry, in milliseconds since the epoch; undefined if everything is delivered. */
  retryAt(now: number): number | undefined {
    const incidents = this.#incidents();
    const dues = [
      ...incidents.unwritten().map((each) => waitFrom(changedAt(each), now)),
      ...incidents.unsent().map((each) => this.#dueOf(each, now)),
    ];
    return dues.length === 0 ? undefined : Math.max(Math.min(...dues), now);
  }

  /** A time beyond the longest wait was set before the clock went back, so the incident is due now. */
  #dueOf(incident: Incident, now: number): number {
    const due = Math.max(this.#downUntil, this.#dueAt.get(incident) ?? 0);
    return due > now + WAIT_MAX_MS ? now : due;
  }

  async #writeAll(): Promise<void> {
    const failed = new Set<Incident>();
    // Read again each time, because a call may add or change an incident meanwhile.
    const left = () =>
      this.#incidents()
        .unwritten()
        .filter((each) => !failed.has(each));
    try {
      await ensureMigrated(this.#env.DB);
      // Written in parallel so that one that D1 rejects does not hold up the others.
      for (let due = left(); due.length > 0; due = left())
        await Promise.all(due.map(async (each) => (await this.#write(each)) || failed.add(each)));
    } catch (error) {
      logSurprise(error, { what: "incidents" });
    } finally {
      this.#writing = undefined;
    }
  }

  /** Returns false, and logs why, if D1 rejected the incident. */
  async #write(incident: Incident): Promise<boolean> {
    try {
      await writeAndCloseDropped(this.#env.DB, incident, this.#incidents().ids(), Date.now());
      this.#incidents().noteDelivered(incident, "database");
      return true;
    } catch (error) {
      logSurprise(error, { what: `incident ${incident.id}` });
      return false;
    }
  }

  async #postAll(): Promise<void> {
    for (let due = this.#due(); due.length > 0; due = this.#due()) {
      // Posted in parallel so that one that the receiver rejects does not hold up the others.
      const answers = await Promise.all(due.map((each) => this.#post(each)));
      this.#noteWebhookState(due, answers.includes("reached"), Date.now());
    }
  }

  #due(): Incident[] {
    const now = Date.now();
    return this.#incidents()
      .unsent()
      .filter((each) => this.#dueOf(each, now) <= now);
  }

  /** Pauses posting if the webhook answered none of the incidents. */
  #noteWebhookState(tried: readonly Incident[], isUp: boolean, now: number): void {
    if (isUp) {
      this.#downUntil = 0;
      this.#downSince = undefined;
      return;
    }
    // After an eviction, the oldest incident still shows how long the webhook has been down.
    this.#downSince = Math.min(this.#downSince ?? now, ...tried.map(changedAt));
    this.#downUntil = waitFrom(this.#downSince, now);
  }

  async #post(incident: Incident): Promise<"reached" | "unreached"> {
    const now = Date.now();
    let isReached = false;
    try {
      const read = readSettings(this.#env);
      if (!read.ok) throw new Error(`settings: ${read.problems.map(({ setting }) => setting).join(", ")}`);
      const answer = await postToWebhook(read.settings, incident, now);
      isReached = true;
      if (answer.status === "refused") throw new Error(`The incident webhook answered ${answer.http}.`);
      this.#incidents().noteDelivered(incident, "everybody");
    } catch (error) {
      logSurprise(error, { what: "incident webhook" });
      this.#dueAt.set(incident, waitFrom(changedAt(incident), now));
      if (now - changedAt(incident) >= GIVE_UP_MS) {
        logEvent("incident_untold", { incident: incident.id });
        this.#incidents().noteDelivered(incident, "everybody");
      }
    }
    return isReached ? "reached" : "unreached";
  }
}

/** When to retry something that has waited since a moment. */
const waitFrom = (since: number, now: number): number =>
  now + Math.min(Math.max(WAIT_MIN_MS, now - since), WAIT_MAX_MS);

const changedAt = ({ decided_at, last_at }: Incident): number => decided_at ?? last_at;
