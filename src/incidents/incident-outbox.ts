import { ensureMigrated } from "../database/migrate.ts";
import { readSettings } from "../env.ts";
import { logEvent, logSurprise } from "../telemetry/log.ts";
import { writeKept } from "./incident-rows.ts";
import { tellWebhook } from "./incident-webhook.ts";
import type { Incident } from "./incident-record.ts";

/** A wait is as long as what is to be told has waited already, in between these: it doubles from one try to the next. */
const WAIT_MIN_MS = 60_000;
const WAIT_MAX_MS = 60 * 60 * 1000;
/** After that the webhook is not told any more; D1 has it. */
const GIVE_UP_MS = 3 * 24 * WAIT_MAX_MS;

/** The incidents of one caller's object, and who has them. */
export interface HeldIncidents {
  ids(): string[];
  /** News that D1 does not have yet. */
  unwritten(): Incident[];
  /** News that D1 has and the webhook does not. */
  untold(): Incident[];
  noteTold(news: Incident, told: "database" | "everybody"): void;
}

/**
 * Brings one principal's incidents to D1, and to the webhook where there is one. One delivery at a time: of two
 * writes of one incident the earlier state could land last. What fails is tried again when the alarm comes.
 */
export class IncidentOutbox {
  readonly #env: Env;
  readonly #incidents: () => HeldIncidents;
  #writing: Promise<void> | undefined;
  #telling: Promise<void> | undefined;
  /** Posts to the webhook wait so long where it is down: each piece of news would post all of them again. */
  #downUntil = 0;
  #downSince: number | undefined;
  /** Of what was not taken, by message: later news of an incident is another one. Gone with memory, which costs one try. */
  readonly #dueAt = new WeakMap<Incident, number>();

  /** `incidents` gives the log as it is at the time: it is made anew when an object is emptied. */
  constructor(env: Env, incidents: () => HeldIncidents) {
    this.#env = env;
    this.#incidents = incidents;
  }

  /** Whoever is not told yet. Throws nothing: what fails stays untold. */
  async deliver(): Promise<void> {
    // D1 first: a webhook that is down must not keep them from the dashboard.
    await this.write();
    // Behind the assignment, also where nothing is due and nothing is waited for.
    this.#telling ??= this.#tellAll().finally(() => (this.#telling = undefined));
    await this.#telling;
  }

  /** D1 alone. */
  write(): Promise<void> {
    this.#writing ??= this.#writeAll();
    return this.#writing;
  }

  /** When to try again; undefined where everybody has been told. */
  againAt(now: number): number | undefined {
    const { unwritten, untold } = this.#incidents();
    const dues = [
      ...unwritten().map((each) => waitFrom(changedAt(each), now)),
      ...untold().map((each) => this.#dueOf(each, now)),
    ];
    return dues.length === 0 ? undefined : Math.max(Math.min(...dues), now);
  }

  /** What is further off than any wait was set by a clock that has gone back since. */
  #dueOf(incident: Incident, now: number): number {
    const due = Math.max(this.#downUntil, this.#dueAt.get(incident) ?? 0);
    return due > now + WAIT_MAX_MS ? now : due;
  }

  async #writeAll(): Promise<void> {
    const failed = new Set<Incident>();
    // Looked up each time: a call may bring another one meanwhile, or change one.
    const left = () =>
      this.#incidents()
        .unwritten()
        .filter((each) => !failed.has(each));
    try {
      await ensureMigrated(this.#env.DB);
      // Side by side: one that D1 does not take must not hold up the others.
      for (let due = left(); due.length > 0; due = left())
        await Promise.all(due.map(async (each) => (await this.#write(each)) || failed.add(each)));
    } catch (error) {
      logSurprise(error, { what: "incidents" });
    } finally {
      this.#writing = undefined;
    }
  }

  /** False when D1 did not take it, which the log tells. */
  async #write(incident: Incident): Promise<boolean> {
    try {
      await writeKept(this.#env.DB, incident, this.#incidents().ids(), Date.now());
      this.#incidents().noteTold(incident, "database");
      return true;
    } catch (error) {
      logSurprise(error, { what: `incident ${incident.id}` });
      return false;
    }
  }

  async #tellAll(): Promise<void> {
    for (let due = this.#due(); due.length > 0; due = this.#due()) {
      // Side by side: one that the receiver can't take must not hold up the others.
      const answers = await Promise.all(due.map((each) => this.#tell(each)));
      this.#noteWebhook(due, answers.includes("heard"), Date.now());
    }
  }

  #due(): Incident[] {
    const now = Date.now();
    const { untold } = this.#incidents();
    return untold().filter((each) => this.#dueOf(each, now) <= now);
  }

  /** Posts nothing for a while where none of some messages was heard. */
  #noteWebhook(tried: readonly Incident[], isUp: boolean, now: number): void {
    if (isUp) {
      this.#downUntil = 0;
      this.#downSince = undefined;
      return;
    }
    // The oldest message tells it too, after an eviction.
    this.#downSince = Math.min(this.#downSince ?? now, ...tried.map(changedAt));
    this.#downUntil = waitFrom(this.#downSince, now);
  }

  async #tell(incident: Incident): Promise<"heard" | "unheard"> {
    const now = Date.now();
    let isHeard = false;
    try {
      const read = readSettings(this.#env);
      if (!read.ok) throw new Error(`settings: ${read.problems.map(({ setting }) => setting).join(", ")}`);
      const answer = await tellWebhook(read.settings, incident, now);
      isHeard = true;
      if (answer.status === "refused") throw new Error(`The incident webhook answered ${answer.http}.`);
      this.#incidents().noteTold(incident, "everybody");
    } catch (error) {
      logSurprise(error, { what: "incident webhook" });
      this.#dueAt.set(incident, waitFrom(changedAt(incident), now));
      if (now - changedAt(incident) >= GIVE_UP_MS) {
        logEvent("incident_untold", { incident: incident.id });
        this.#incidents().noteTold(incident, "everybody");
      }
    }
    return isHeard ? "heard" : "unheard";
  }
}

/** When to try again what has waited since a moment. */
const waitFrom = (since: number, now: number): number =>
  now + Math.min(Math.max(WAIT_MIN_MS, now - since), WAIT_MAX_MS);

const changedAt = ({ decided_at, last_at }: Incident): number => decided_at ?? last_at;
