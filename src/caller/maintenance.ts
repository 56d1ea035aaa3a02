import { ensureMigrated } from "../database/migrate.ts";
import { secretKeyIn } from "../env.ts";
import { DAY } from "../detection/window.ts";
import { logSurprise } from "../telemetry/log.ts";
import { policyInForce } from "../policy/bundled.ts";
import { type AnchorRow, anchorOf, closeAnchor, dropClosed, writeAnchor } from "./audit/anchors.ts";
import { auditIndex } from "./audit/audit-index.ts";
import { RECORDS_MAX } from "./audit/audit-log.ts";
import type { Anchor } from "./audit/chain.ts";
import type { Clock } from "./clock.ts";
import { IncidentOutbox } from "../incidents/incident-outbox.ts";
import { closeAllBut, dropDecided, writeIncident } from "../incidents/incident-rows.ts";
import { AUDIT_FULL } from "../incidents/incident-record.ts";
import { RECORDS_READ } from "./overview.ts";
import { type CallerState, createState } from "./state.ts";
import { isMostlyRefused, refusalsIn } from "./audit/refusal-share.ts";
import { type RowProblem, problemOf } from "./audit/row-problem.ts";
import type { State } from "./store/state-row.ts";

/** D1 is told where a chain stands at most this often; what could not be told is tried again this much later. */
const ANCHOR_MS = 60_000;
/** Counts of refusals are stored at most so often: well before an idle object loses its memory, which workerd takes after 10 s. */
const COUNTS_MS = 2_000;
/** Flow rules look back so far. */
const FLOW_MS = 30 * DAY;

/**
 * What a caller's object does behind the calls: anchors of its chain in D1, word of its incidents, pruning, one alarm for
 * whatever is due, and its end when nothing is left to keep. `parts` are the object's own, made anew in place at its end.
 */
export class Maintenance {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #parts: CallerState;
  readonly #clock: Clock;
  readonly #outbox: IncidentOutbox;
  /** Undefined until it is known. */
  #alarmAt: number | null | undefined;
  #isStoringCounts = false;

  constructor(ctx: DurableObjectState, env: Env, parts: CallerState, clock: Clock) {
    this.#ctx = ctx;
    this.#env = env;
    this.#parts = parts;
    this.#clock = clock;
    this.#outbox = new IncidentOutbox(env, () => parts.incidents);
  }

  async readAlarm(): Promise<void> {
    this.#alarmAt = await this.#ctx.storage.getAlarm();
  }

  /** So that D1 is told of a record in time. */
  wakeForRecord(now: number): void {
    this.#wakeBy(now + ANCHOR_MS);
  }

  wakeForNonces(): void {
    // When all are past, not each: under steady signing that would be an alarm a request.
    this.#wakeBy(this.#parts.nonces.emptyAt());
  }

  /**
   * Stores what runs of refusals have counted, a moment later. A timer and no alarm, which would be a billed write each time;
   * the object stays in memory at least until it rings.
   */
  storeCountsSoon(): void {
    if (this.#isStoringCounts || !this.#parts.log.hasUnstored) return;
    this.#isStoringCounts = true;
    setTimeout(() => {
      this.#isStoringCounts = false;
      void this.#quietly(async () => this.#parts.log.storeRuns());
    }, COUNTS_MS);
  }

  /** Tells D1 and the webhook of incidents that changed, behind the answer. */
  tellNews(): void {
    if (this.#parts.incidents.takeNews()) this.#ctx.waitUntil(this.#outbox.deliver());
  }

  /** Tells D1 of what a person has decided, before they are answered: their next page reads D1. */
  async tellDecision(now: number): Promise<void> {
    this.wakeForRecord(now);
    // The decision stands, whoever can't be told of it now.
    await this.#outbox.write();
    this.tellNews();
  }

  /** Anchors the chain behind the answer, where its last anchor is old enough. */
  anchorIfDue(now: number): void {
    const { state } = this.#parts.log;
    if (state !== undefined && now - state.anchored.at >= ANCHOR_MS)
      this.#ctx.waitUntil(this.#quietly(() => this.anchor()));
  }

  /** Anchors the chain and gives the anchor; undefined where there is no record. */
  async anchor(): Promise<Anchor | undefined> {
    const { log, store } = this.#parts;
    const { state, head } = log;
    if (state === undefined || head === undefined || log.isProvisional) return undefined;
    const now = this.#clock.now();
    const spokeAt = store.lastHitBehind(state.anchored.seq) ?? null;
    // Noted first, so that calls which come in meanwhile anchor no second time.
    log.noteAnchor(head.seq, now);
    try {
      await ensureMigrated(this.#env.DB);
      const refusals = refusalsIn(store.newest(RECORDS_READ), log.runs, now);
      const anchor = anchorOf(state, head, now);
      const told = { spokeAt, isMostlyRefused: isMostlyRefused(refusals) };
      const key = secretKeyIn(this.#env);
      const before = await writeAnchor(this.#env.DB, anchor, told, key);
      await this.#quietly(async () => {
        const problem = await this.#index(state, before);
        // No later anchor would be written over it until the chain has come so far.
        if (problem === "ahead") await writeAnchor(this.#env.DB, anchor, told, key, "any");
      });
      return anchor;
    } catch (error) {
      log.noteAnchor(state.anchored.seq, now);
      throw error;
    }
  }

  /** Where the chain stands, as the object itself knows; undefined where there is none. */
  lastAnchor(): Anchor | undefined {
    const { state, head } = this.#parts.log;
    if (state === undefined || head === undefined) return undefined;
    return anchorOf(state, head, state.anchored.at);
  }

  /** Tells the index of chains that there is this one, and what is wrong with D1's row of it, which is given too. */
  async #index({ principal, startedAt }: State, row: AnchorRow | undefined): Promise<RowProblem | null> {
    const { log } = this.#parts;
    const isIndexed = log.state?.indexed === true;
    // Of the head as it is now: another anchor may have been written meanwhile.
    const problem = problemOf(row, { startedAt, seq: log.head?.seq ?? 0, isIndexed });
    const index = auditIndex(this.#env);
    if (problem !== null) await index.found(principal, startedAt, problem, this.#clock.now());
    if (!isIndexed) {
      await index.begin(principal, startedAt);
      log.noteIndexed(true);
    }
    return problem;
  }

  async alarm(): Promise<void> {
    this.#alarmAt = null;
    const { log, store, nonces, flow } = this.#parts;
    const now = this.#clock.now();
    log.closeRuns(now);
    // What is pruned can't be read again.
    if (log.head !== undefined) flow.checkpoint(log.head.seq, "always");
    if (log.prune(now) === "early") this.#noteFullAudit(now);
    nonces.dropPast(now);
    this.wakeForNonces();
    const { state, head } = log;
    if (state === undefined || head === undefined) return;
    // What fails here is tried again a minute later, not by the runtime, which gives up after six times.
    await this.#outbox.deliver();
    await this.#quietly(() => this.#writeGrown());
    this.#wakeBy(this.#outbox.againAt(now));
    if (this.#isEmpty(now)) await this.#quietly(() => this.#end());
    // Of the parts as they are now: at the end of an object they are made anew.
    if (this.#parts.log.state === undefined) return;

    const isDue = now - state.anchored.at >= ANCHOR_MS;
    if (head.seq > state.anchored.seq && isDue)
      await this.#quietly(async () => {
        await this.anchor();
        await this.#dropOld(now);
      });
    const { anchored } = log.state ?? state;
    if (head.seq > anchored.seq) this.#wakeBy(anchored.at + ANCHOR_MS);
    for (const { until } of log.runs.values()) this.#wakeBy(until);
    const oldest = store.oldestAt();
    const forgetAt = store.hasFlow() ? state.prunedAt + FLOW_MS : now;
    const isOver = oldest === undefined ? forgetAt : oldest + state.retentionMs + 1;
    this.#wakeBy(Math.max(isOver, now + ANCHOR_MS));
  }

  /** Opens an incident: a caller who makes records so fast pushes evidence out before its time. */
  #noteFullAudit(now: number): void {
    const { log, incidents } = this.#parts;
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

  /** Brings D1's counts of incidents that go on up to date, so that every page shows the same number within a minute. */
  async #writeGrown(): Promise<void> {
    const { incidents } = this.#parts;
    for (const incident of incidents.grown()) {
      await writeIncident(this.#env.DB, incident);
      incidents.noteWritten(incident);
    }
  }

  /** One alarm, for whatever comes first; setting it is a billed write, so only where it must be sooner. */
  #wakeBy(at: number | undefined): void {
    if (at === undefined) return;
    if (typeof this.#alarmAt === "number" && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    void this.#ctx.storage.setAlarm(at);
  }

  async #quietly(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // Tried again: by the alarm, or after the next refusal.
      logSurprise(error, { what: "UserWindows" });
    }
  }

  #isEmpty(now: number): boolean {
    const { store, log, nonces } = this.#parts;
    if (store.oldestAt() !== undefined || log.runs.size > 0 || log.isProvisional) return false;
    const isRemembered = store.hasFlow() && now - (log.state?.prunedAt ?? 0) < FLOW_MS;
    return !isRemembered && this.#outbox.againAt(now) === undefined && nonces.emptyAt() === undefined;
  }

  /** Deletes all that is stored, unless a call comes in meanwhile. */
  async #end(): Promise<void> {
    const { log, incidents } = this.#parts;
    const { state } = log;
    if (state === undefined) return;
    await ensureMigrated(this.#env.DB);
    incidents.letGo();
    await closeAllBut(this.#env.DB, state.principal, incidents.ids(), this.#clock.now());
    // Stored first: of a row that the object itself has closed nobody must say that it was closed from outside.
    log.noteIndexed(false);
    await closeAnchor(this.#env.DB, state, this.#clock.now());
    await auditIndex(this.#env).end(state.principal, state.startedAt);
    // A call has come in meanwhile, and the row says that its chain is over.
    if (!this.#isEmpty(this.#clock.now())) return void (await this.anchor());
    const { storage } = this.#ctx;
    await storage.deleteAlarm();
    await storage.deleteAll();
    Object.assign(this.#parts, createState(storage.sql));
    await this.#dropOld(this.#clock.now());
  }

  /** Of what D1 keeps of all callers, some of what is too old: it falls to whoever has an alarm, and to none for long. */
  async #dropOld(now: number): Promise<void> {
    const before = now - policyInForce().retention.audit_days * DAY;
    await dropDecided(this.#env.DB, before);
    await dropClosed(this.#env.DB, before);
  }
}
