import { dropOldChanges } from "../changes/old-changes.ts";
import { ensureMigrated } from "../database/migrate.ts";
import { DAY } from "../detection/window.ts";
import { closeDropped, dropDecided } from "../incidents/incident-rows.ts";
import { policyInForce } from "../policy/bundled.ts";
import type { Anchoring } from "./audit/anchoring.ts";
import { closeAnchor, dropClosed } from "./audit/anchors.ts";
import { auditIndex } from "./audit/audit-index.ts";
import { dropReadings } from "./audit/readings.ts";
import { dropSearches } from "./audit/searches.ts";
import type { Clock } from "./clock.ts";
import type { IncidentDelivery } from "./incident-delivery.ts";
import { logFailure } from "./log-failure.ts";
import { type CallerState, createState } from "./state.ts";

/** Milliseconds that flow rules look back. */
const FLOW_MS = 30 * DAY;

interface ExpiryOptions {
  state: CallerState;
  clock: Clock;
  anchoring: Anchoring;
  delivery: IncidentDelivery;
}

/** Deletes the object's storage when nothing is left to keep, and old rows of all callers in D1. */
export class Expiry {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #state: CallerState;
  readonly #clock: Clock;
  readonly #anchoring: Anchoring;
  readonly #delivery: IncidentDelivery;

  constructor(ctx: DurableObjectState, env: Env, { state, clock, anchoring, delivery }: ExpiryOptions) {
    this.#ctx = ctx;
    this.#env = env;
    this.#state = state;
    this.#clock = clock;
    this.#anchoring = anchoring;
    this.#delivery = delivery;
  }

  /** Deletes everything that is stored, unless something is left to keep or a call arrives meanwhile. */
  async endIfEmpty(now: number): Promise<void> {
    if (this.#isEmpty(now)) await logFailure(() => this.#end());
  }

  #isEmpty(now: number): boolean {
    const { store, log, nonces, refreshes } = this.#state;
    if (store.oldestAt() !== undefined || log.openRepeats.size > 0 || log.isProvisional) return false;
    const isRemembered = store.hasFlow() && now - (log.state?.prunedAt ?? 0) < FLOW_MS;
    if (nonces.emptyAt() !== undefined || refreshes.dueAt() !== undefined) return false;
    return !isRemembered && this.#delivery.retryAt(now) === undefined;
  }

  async #end(): Promise<void> {
    const { log, incidents } = this.#state;
    const { state } = log;
    if (state === undefined) return;
    await ensureMigrated(this.#env.DB);
    incidents.dropDelivered();
    await closeDropped(this.#env.DB, state.principal, incidents.ids(), this.#clock.now());
    // Stored first: otherwise a row that the object itself has closed could be reported as closed from outside.
    log.noteIndexed(false);
    await closeAnchor(this.#env.DB, state, this.#clock.now());
    await auditIndex(this.#env).end(state.principal, state.startedAt);
    // A call has arrived meanwhile, but the row says that its chain has ended.
    if (!this.#isEmpty(this.#clock.now())) return void (await this.#anchoring.anchor());
    const { storage } = this.#ctx;
    await storage.deleteAlarm();
    await storage.deleteAll();
    Object.assign(this.#state, createState(storage.sql));
    await this.dropOldRows();
  }

  /** When the object may have nothing left to keep, in milliseconds since the epoch. */
  emptyAt({ prunedAt, retentionMs }: { prunedAt: number; retentionMs: number }, now: number): number {
    const { store } = this.#state;
    const oldest = store.oldestAt();
    const forgetAt = store.hasFlow() ? prunedAt + FLOW_MS : now;
    return oldest === undefined ? forgetAt : oldest + retentionMs + 1;
  }

  /** Deletes some rows of D1, of any caller, that are past the retention. Every object's alarm does a few, so none takes long. */
  async dropOldRows(now = this.#clock.now()): Promise<void> {
    const { audit_days, changes_days, searches_days } = policyInForce().retention;
    const before = now - audit_days * DAY;
    await dropDecided(this.#env.DB, before);
    await dropClosed(this.#env.DB, before);
    await dropReadings(this.#env.DB, before);
    await dropSearches(this.#env.DB, searches_days, now);
    // A caller makes at most about as many changes in the minute between two alarms.
    await dropOldChanges(this.#env.DB, { before: now - changes_days * DAY, slices: 5 });
  }
}
