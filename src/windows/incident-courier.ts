import { ensureMigrated } from "../database/migrate.ts";
import { readSettings } from "../env.ts";
import { logEvent, logSurprise } from "../telemetry/log.ts";
import type { IncidentLog } from "./incident-log.ts";
import { writeIncident } from "./incident-rows.ts";
import { tellWebhook } from "./incident-webhook.ts";
import type { Incident } from "./incidents.ts";

/** The waits between two tries double with what is to be told, in between these. */
const WAIT_MIN_MS = 60_000;
const WAIT_MAX_MS = 60 * 60 * 1000;
/** After that the webhook is not told any more; D1 has it. */
const GIVE_UP_MS = 3 * 24 * WAIT_MAX_MS;

/**
 * Brings one principal's incidents to D1, and to the webhook where there is one. One delivery at a time: of two
 * writes of one incident the earlier state could land last. What fails is tried again when the alarm comes.
 */
export class IncidentCourier {
  readonly #env: Env;
  readonly #incidents: () => IncidentLog;
  #writing: Promise<void> | undefined;
  #telling: Promise<void> | undefined;

  /** `incidents` gives the log as it is at the time: it is made anew when an object is emptied. */
  constructor(env: Env, incidents: () => IncidentLog) {
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
    if (unwritten().length > 0) return now + WAIT_MIN_MS;
    const waits = untold().map((each) => now - changedAt(each));
    if (waits.length === 0) return undefined;
    return now + Math.min(Math.max(WAIT_MIN_MS, Math.min(...waits)), WAIT_MAX_MS);
  }

  async #writeAll(): Promise<void> {
    try {
      await ensureMigrated(this.#env.DB);
      // Looked up each time: a call may bring another one meanwhile, or change one.
      for (let next = this.#unwritten(); next !== undefined; next = this.#unwritten()) {
        await writeIncident(this.#env.DB, next);
        this.#incidents().noteTold(next, "database");
      }
    } catch (error) {
      logSurprise(error, { what: "incidents" });
    } finally {
      this.#writing = undefined;
    }
  }

  #unwritten = (): Incident | undefined => this.#incidents().unwritten()[0];

  async #tellAll(): Promise<void> {
    const tried = new Set<Incident>();
    for (let due = this.#untoldBut(tried); due.length > 0; due = this.#untoldBut(tried)) {
      for (const each of due) tried.add(each);
      // Side by side: one that the receiver can't take must not hold up the others.
      await Promise.all(due.map((each) => this.#tell(each)));
    }
  }

  #untoldBut = (tried: ReadonlySet<Incident>): Incident[] =>
    this.#incidents()
      .untold()
      .filter((each) => !tried.has(each));

  async #tell(incident: Incident): Promise<void> {
    const now = Date.now();
    try {
      const read = readSettings(this.#env);
      if (!read.ok) throw new Error(`settings: ${read.problems.map(({ setting }) => setting).join(", ")}`);
      await tellWebhook(read.settings, incident, now);
      this.#incidents().noteTold(incident, "everybody");
    } catch (error) {
      logSurprise(error, { what: "incident webhook" });
      if (now - changedAt(incident) < GIVE_UP_MS) return;
      logEvent("incident_untold", { incident: incident.id });
      this.#incidents().noteTold(incident, "everybody");
    }
  }
}

const changedAt = ({ decided_at, last_at }: Incident): number => decided_at ?? last_at;
