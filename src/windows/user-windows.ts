import { DurableObject } from "cloudflare:workers";
import { ensureMigrated } from "../database/migrate.ts";
import { logSurprise } from "../telemetry/log.ts";
import { type AdmissionAnswer, type AdmissionRequest, type Settlement, firstRefusal } from "./admission.ts";
import { closeAnchor, writeAnchor } from "./anchors.ts";
import { AuditLog } from "./audit-log.ts";
import type { Anchor } from "./chain.ts";
import { RateWindows } from "./rate-windows.ts";
import { charge, fitsAt } from "./sliding-window.ts";
import { type Store, createStore } from "./store.ts";

/** D1 is told where a chain stands at most this often. */
const ANCHOR_MS = 60_000;

/**
 * One principal's rate windows and audit. `admit` and `settle` hold no `await`: nothing of another call
 * comes between their first and last line, and what they write commits as one. Whatever is in memory is
 * read back from the records, as memory goes with every eviction, deploy and crash.
 */
export class UserWindows extends DurableObject<Env> {
  #store: Store;
  #log: AuditLog;
  #windows: RateWindows;
  /** Never before what is stored, however the machine's clock is set. */
  #clock: number;
  /** Undefined until it is known. */
  #alarmAt: number | null | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = createStore(ctx.storage.sql);
    this.#log = new AuditLog(this.#store);
    this.#windows = new RateWindows(this.#store, this.#log);
    this.#clock = this.#log.latest;
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  /** Decides whether a call may run, and records the attempt. */
  admit({ principal, refused, limit, retentionMs, attempt }: AdmissionRequest): AdmissionAnswer {
    const now = this.#tick();
    this.#log.begin(principal, retentionMs, now);
    this.#log.closeRuns(now);
    const window = this.#windows.window(attempt.bucket, limit.windowMs, now);
    const freeAt = fitsAt(window, attempt.weight, limit, now);
    const isOverLimit = freeAt > now;
    const refusal = firstRefusal(refused, isOverLimit);

    // A full window takes no more charges, so that no flood of refusals makes it grow.
    const isCharged = !isOverLimit && refusal?.stage !== "rate";
    const weight = isCharged ? attempt.weight : 0;
    if (isCharged) charge(window, weight, now);
    this.#wakeBy(now + ANCHOR_MS);
    if (refusal === undefined) {
      const admitted = { kind: "attempt", ...attempt, weight, decision: "admitted" } as const;
      return { admitted: true, seq: this.#log.append(admitted, now) };
    }
    const { stage, code } = refusal;
    this.#log.refuse({ kind: "attempt", ...attempt, weight, decision: code }, limit.windowMs, now);
    // From the machine's own clock, which is the one that the caller will wait by.
    return stage === "rate"
      ? { admitted: false, stage, retryAfterMs: Math.max(1, freeAt - Date.now()) }
      : { admitted: false, stage };
  }

  /** Records what an admitted call turned out to be. */
  settle(settlement: Settlement): void {
    const { state } = this.#log;
    // Pruned and gone while the call ran.
    if (state === undefined) return;
    const now = this.#tick();
    this.#log.append({ kind: "outcome", ...settlement }, now);
    this.#wakeBy(now + ANCHOR_MS);
    if (now - state.anchored.at >= ANCHOR_MS) this.ctx.waitUntil(this.#anchorOrLog());
  }

  /** Anchors the chain and gives the anchor, up to which it can be exported; undefined where there is no record. */
  async anchor(): Promise<Anchor | undefined> {
    const { state, head } = this.#log;
    if (state === undefined || head === undefined) return undefined;
    const now = this.#tick();
    // Noted first, so that calls which come in meanwhile anchor no second time.
    this.#log.noteAnchor(head.seq, now);
    try {
      await ensureMigrated(this.env.DB);
      return await writeAnchor(this.env.DB, state, head, now);
    } catch (error) {
      this.#log.noteAnchor(state.anchored.seq, now);
      throw error;
    }
  }

  /** Lines of an export behind record `after`, up to record `upTo`. */
  exportPage(after: number, upTo: number, limit: number): { seq: number; line: string }[] {
    return this.#store.lines(after, upTo, limit);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const now = this.#tick();
    this.#log.closeRuns(now);
    this.#log.prune(now);
    const { state, head } = this.#log;
    if (state === undefined || head === undefined) return;
    try {
      const isAhead = head.seq > state.anchored.seq;
      if (this.#isEmpty()) {
        if (await this.#end()) return;
        // A call has come in meanwhile, and the row says that its chain is over.
        await this.anchor();
      } else if (isAhead && now - state.anchored.at >= ANCHOR_MS) await this.anchor();
      else if (isAhead) this.#wakeBy(state.anchored.at + ANCHOR_MS);
    } catch (error) {
      // Thrown on, it would be tried a few times within minutes, and then no more.
      logSurprise(error, { what: "audit anchor" });
      this.#wakeBy(this.#tick() + ANCHOR_MS);
    }
    for (const { until } of this.#log.runs.values()) this.#wakeBy(until);
    const oldest = this.#store.oldestAt();
    if (oldest !== undefined) this.#wakeBy(oldest + state.retentionMs + 1);
  }

  #tick(): number {
    this.#clock = Math.max(this.#clock, Date.now());
    return this.#clock;
  }

  /** One alarm, for whatever comes first; setting it is a billed write, so only where it must be sooner. */
  #wakeBy(at: number): void {
    if (typeof this.#alarmAt === "number" && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }

  async #anchorOrLog(): Promise<void> {
    try {
      await this.anchor();
    } catch (error) {
      // The alarm tries again, as the chain is ahead of what D1 holds.
      logSurprise(error, { what: "audit anchor" });
    }
  }

  #isEmpty(): boolean {
    return this.#store.oldestAt() === undefined && this.#log.runs.size === 0;
  }

  /** Deletes all that is stored; false where a call came in meanwhile. */
  async #end(): Promise<boolean> {
    const { state } = this.#log;
    if (state === undefined) return true;
    await ensureMigrated(this.env.DB);
    await closeAnchor(this.env.DB, state, this.#tick());
    if (!this.#isEmpty()) return false;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#store = createStore(this.ctx.storage.sql);
    this.#log = new AuditLog(this.#store);
    this.#windows = new RateWindows(this.#store, this.#log);
    return true;
  }
}
