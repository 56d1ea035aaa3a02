import type { Alarm } from "./alarm.ts";
import { ANCHOR_MS, type Anchoring } from "./audit/anchoring.ts";
import type { Clock } from "./clock.ts";
import { Expiry } from "./expiry.ts";
import type { IncidentDelivery } from "./incident-delivery.ts";
import { logFailure } from "./log-failure.ts";
import type { CallerState } from "./state.ts";

interface Maintained {
  /** The object's own state, which is replaced in place when its storage is deleted. */
  state: CallerState;
  clock: Clock;
  alarm: Alarm;
  anchoring: Anchoring;
  delivery: IncidentDelivery;
}

/** The work of a caller's object when its alarm rings: pruning, undelivered incidents, its anchor, and its end. */
export class Maintenance {
  readonly #maintained: Maintained;
  readonly #expiry: Expiry;

  constructor(ctx: DurableObjectState, env: Env, maintained: Maintained) {
    this.#maintained = maintained;
    this.#expiry = new Expiry(ctx, env, maintained);
  }

  /** Does what is due and sets the next alarm. Failures are retried a minute later; the runtime would give up after six tries. */
  async run(): Promise<void> {
    const { state: caller, clock, alarm, anchoring, delivery } = this.#maintained;
    alarm.noteRung();
    const { log, nonces, refreshes, flow } = caller;
    const now = clock.now();
    log.closeRepeats(now);
    // Store the flow state first, because pruned records can't be replayed.
    if (log.head !== undefined) flow.checkpoint(log.head.seq, "always");
    if (log.prune(now) === "early") delivery.noteFullAudit(now);
    nonces.dropPast(now);
    alarm.ringBy(nonces.emptyAt());
    refreshes.dropPast(now);
    alarm.ringBy(refreshes.dueAt());
    const { state, head } = log;
    if (state === undefined || head === undefined) return;
    await delivery.deliverAll();
    alarm.ringBy(delivery.retryAt(now));
    await this.#expiry.endIfEmpty(now);
    // Read the state again: it is replaced when the storage is deleted.
    if (caller.log.state === undefined) return;

    const isDue = now - state.anchored.at >= ANCHOR_MS;
    if (head.seq > state.anchored.seq && isDue)
      await logFailure(async () => {
        await anchoring.anchor();
        await this.#expiry.dropOldRows(now);
      });
    const { anchored } = log.state ?? state;
    if (head.seq > anchored.seq) alarm.ringBy(anchored.at + ANCHOR_MS);
    for (const { until } of log.openRepeats.values()) alarm.ringBy(until);
    alarm.ringBy(Math.max(this.#expiry.emptyAt(state, now), now + ANCHOR_MS));
  }
}
