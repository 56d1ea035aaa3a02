import { policyInForce } from "../../policy/bundled.ts";
import { ensureMigrated } from "../../database/migrate.ts";
import type { Alarm } from "../alarm.ts";
import type { Clock } from "../clock.ts";
import { logFailure } from "../log-failure.ts";
import { RECORDS_READ } from "../overview.ts";
import type { CallerState } from "../state.ts";
import type { State } from "../store/state-row.ts";
import { type AnchorRow, anchorOf, writeAnchor } from "./anchors.ts";
import { auditIndex } from "./audit-index.ts";
import type { Anchor } from "./chain.ts";
import { answeredCalls } from "./answered-calls.ts";
import { foldReadings, readingOf } from "./readings.ts";
import { foldSearches, searchOf } from "./searches.ts";
import { isMostlyRefused, refusalsIn } from "./refusal-share.ts";
import { type RowProblem, problemOf } from "./row-problem.ts";
import { secretKeyOf } from "../../setup/secret-key.ts";

/** Milliseconds between two anchors of one chain, and between retries. */
export const ANCHOR_MS = 60_000;

/** Records before the last anchor that are folded again when an object wakes up, more than a minute has. */
const REFOLDED = 1_000;

/** Anchors one caller's chain in D1, and keeps the index of chains up to date. */
export class Anchoring {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #state: CallerState;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  /** The last record that D1 is known to have anchored; undefined after the object woke up. */
  #confirmed: number | undefined;

  constructor(ctx: DurableObjectState, env: Env, state: CallerState, clock: Clock, alarm: Alarm) {
    this.#ctx = ctx;
    this.#env = env;
    this.#state = state;
    this.#clock = clock;
    this.#alarm = alarm;
  }

  /** Schedules the anchor of a new record. */
  scheduleAnchor(now: number): void {
    this.#alarm.ringBy(now + ANCHOR_MS);
  }

  /** Anchors the chain after the answer, if its last anchor is old enough. */
  anchorIfDue(now: number): void {
    const { state } = this.#state.log;
    if (state !== undefined && now - state.anchored.at >= ANCHOR_MS)
      this.#ctx.waitUntil(logFailure(() => this.anchor()));
  }

  /** Anchors the chain and returns the anchor; undefined if there is no record. */
  async anchor(): Promise<Anchor | undefined> {
    const { log, store } = this.#state;
    const { state, head } = log;
    if (state === undefined || head === undefined || log.isProvisional) return undefined;
    const now = this.#clock.now();
    const lastHitAt = store.lastHitBehind(state.anchored.seq) ?? null;
    // Another anchor may be on its way, or have been lost with the object. D1 skips what it has.
    const folded = this.#confirmed ?? state.anchored.seq - REFOLDED;
    const calls = answeredCalls(store.recordsBehind(folded), (seq) => store.attempt(seq));
    const found = Array.from(calls, (call) => ({ reading: readingOf(call), search: searchOf(call) }));
    const readings = found.flatMap(({ reading }) => (reading === undefined ? [] : [reading]));
    const searches = found.flatMap(({ search }) => search ?? []);
    // Noted first, so that calls that arrive meanwhile do not anchor again.
    log.noteAnchor(head.seq, now);
    try {
      await ensureMigrated(this.#env.DB);
      const refusals = refusalsIn(store.newest(RECORDS_READ), log.openRepeats, now);
      const anchor = anchorOf(state, head, now);
      const flags = { lastHitAt, isMostlyRefused: isMostlyRefused(refusals) };
      const key = await secretKeyOf(this.#env);
      const first = readings.length === 0 ? [] : [foldReadings(this.#env.DB, anchor, readings)];
      const before = await writeAnchor(this.#env.DB, anchor, flags, key, { first });
      // An anchor that is written meanwhile counts the same searches, which changes nothing.
      const { searches_days: days } = policyInForce().retention;
      if (key !== undefined)
        await logFailure(() =>
          foldSearches(this.#env.DB, { principal: state.principal, key, days, now }, searches),
        );
      this.#confirmed = Math.max(this.#confirmed ?? 0, head.seq);
      await logFailure(async () => {
        const problem = await this.#updateIndex(state, before);
        // Otherwise no anchor would replace the forged row until the chain had reached its record.
        if (problem === "ahead") await writeAnchor(this.#env.DB, anchor, flags, key, { over: "any" });
      });
      return anchor;
    } catch (error) {
      log.noteAnchor(state.anchored.seq, now);
      throw error;
    }
  }

  /** Returns the chain's present end as the object itself knows it; undefined if there is no record. */
  lastAnchor(): Anchor | undefined {
    const { state, head } = this.#state.log;
    if (state === undefined || head === undefined) return undefined;
    return anchorOf(state, head, state.anchored.at);
  }

  /** Adds the chain to the index, and the problem with its row in D1, which is also returned. */
  async #updateIndex(
    { principal, startedAt }: State,
    row: AnchorRow | undefined,
  ): Promise<RowProblem | null> {
    const { log } = this.#state;
    const isIndexed = log.state?.indexed === true;
    // Compare with the present head: another anchor may have been written meanwhile.
    const problem = problemOf(row, { startedAt, seq: log.head?.seq ?? 0, isIndexed });
    const index = auditIndex(this.#env);
    if (problem !== null) await index.found(principal, startedAt, problem, this.#clock.now());
    if (!isIndexed) {
      await index.begin(principal, startedAt);
      log.noteIndexed(true);
    }
    return problem;
  }
}
