import { IncidentOutbox } from "../incidents/incident-outbox.ts";
import { AUDIT_FULL } from "../incidents/incident-record.ts";
import { writeIncident } from "../incidents/incident-rows.ts";
import { RECORDS_MAX } from "./audit/audit-log.ts";
import { logFailure } from "./log-failure.ts";
import type { CallerState } from "./state.ts";

/** Delivers one caller's incidents to D1 and the webhook. */
export class IncidentDelivery {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #state: CallerState;
  readonly #outbox: IncidentOutbox;

  constructor(ctx: DurableObjectState, env: Env, state: CallerState) {
    this.#ctx = ctx;
    this.#env = env;
    this.#state = state;
    this.#outbox = new IncidentOutbox(env, () => state.incidents);
  }

  /** Delivers changed incidents after the answer. */
  deliverLater(): void {
    if (this.#state.incidents.takeUndelivered()) this.#ctx.waitUntil(this.#outbox.deliver());
  }

  /** Writes a person's decision to D1 before that person is answered, because their next page reads D1. */
  async deliverDecision(): Promise<void> {
    // The decision stands even if D1 can't be written now.
    await this.#outbox.write();
    this.deliverLater();
  }

  /** Delivers what is left, and updates the counts in D1, so that every page shows the same number within a minute. */
  async deliverAll(): Promise<void> {
    await this.#outbox.deliver();
    await logFailure(() => this.#writeCounts());
  }

  /** When to retry, in milliseconds since the epoch; undefined if everything is delivered. */
  retryAt(now: number): number | undefined {
    return this.#outbox.retryAt(now);
  }

  /** Opens an incident: a caller who makes records so fast pushes evidence out before its retention is over. */
  noteFullAudit(now: number): void {
    const { log, incidents } = this.#state;
    const { state } = log;
    if (state === undefined) return;
    const hit = {
      rule: AUDIT_FULL,
      version: 1,
      mode: "enforce",
      verdict: "flag",
      observed: RECORDS_MAX,
      threshold: RECORDS_MAX,
      window: state.retentionMs,
    } as const;
    const call = { principal: state.principal, tool: AUDIT_FULL, correlationId: null };
    incidents.note({ verdict: "flag", hits: [{ ...hit, events: [] }] }, call, now);
  }

  async #writeCounts(): Promise<void> {
    const { incidents } = this.#state;
    for (const incident of incidents.outdatedInDatabase()) {
      await writeIncident(this.#env.DB, incident);
      incidents.noteCountWritten(incident);
    }
  }
}
