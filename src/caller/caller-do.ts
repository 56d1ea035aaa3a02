import { DurableObject } from "cloudflare:workers";
import { DAY } from "../detection/window.ts";
import { policyInForce } from "../policy/bundled.ts";
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  type Decided,
  FLOW_CODES,
  type Settlement,
  type SettlementAnswer,
  type SharedCall,
  verdictsOf,
} from "./admission.ts";
import { Alarm } from "./alarm.ts";
import { Anchoring } from "./audit/anchoring.ts";
import type { Anchor } from "./audit/chain.ts";
import { CountsTimer } from "./audit/counts-timer.ts";
import { Clock } from "./clock.ts";
import { type DecidingParts, decideCall } from "./decide-call.ts";
import {
  type PersonsDecision,
  decideIncident,
  decidedWith,
  noteDecision,
  releaseCaller,
} from "./detection/decisions.ts";
import { findIncident } from "../incidents/incident-rows.ts";
import type { Incident } from "../incidents/incident-record.ts";
import type { NonceAnswer, Spent } from "./nonces.ts";
import type { RefreshOutcome, RefreshRequest, RefreshUse } from "./refreshes.ts";
import { type CallerState, createState } from "./state.ts";
import {
  type CallsAround,
  type Overview,
  type RuleHits,
  callsAround,
  countRuleHits,
  overviewOf,
} from "./overview.ts";
import { recordedAnswer, recordedSettlement } from "./retries/recorded-answers.ts";
import type { Bucket, Draft } from "./audit/records.ts";
import type { ExportedLine } from "./store/chain-rows.ts";
import { IncidentDelivery } from "./incident-delivery.ts";
import { Maintenance } from "./maintenance.ts";
import type { ElsewhereDecided, IdentityChanged, Released } from "./noted-changes.ts";

/** The namespace of all callers' objects, which are named by principal. */
export type CallerNamespace = DurableObjectNamespace<CallerDO>;

/**
 * One principal's rate windows, flow state, audit and nonces. `admit`, `settle` and `consumeNonce` hold no `await`, so two
 * calls can't interleave and each one's writes commit together. Everything in memory can be read back from storage, because
 * every eviction, deploy and crash clears it.
 */
export class CallerDO extends DurableObject<Env> {
  readonly #state: CallerState;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #anchoring: Anchoring;
  readonly #deciding: DecidingParts;
  readonly #delivery: IncidentDelivery;
  readonly #maintenance: Maintenance;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#state = createState(ctx.storage.sql);
    this.#clock = new Clock(this.#state.log.latest);
    this.#alarm = new Alarm(ctx.storage);
    this.#anchoring = new Anchoring(ctx, env, this.#state, this.#clock, this.#alarm);
    this.#delivery = new IncidentDelivery(ctx, env, this.#state);
    this.#deciding = {
      state: this.#state,
      anchoring: this.#anchoring,
      counts: new CountsTimer(this.#state),
      delivery: this.#delivery,
    };
    this.#maintenance = new Maintenance(ctx, env, {
      state: this.#state,
      clock: this.#clock,
      alarm: this.#alarm,
      anchoring: this.#anchoring,
      delivery: this.#delivery,
    });
    void ctx.blockConcurrencyWhile(() => this.#alarm.read());
  }

  /** Answers /readyz and stores nothing. */
  ping(): true {
    return true;
  }

  /** Decides whether a call may run, and records the attempt. A retry of the same request gets the first answer. */
  admit(request: AdmissionRequest): AdmissionAnswer {
    const { recent } = this.#state;
    const now = this.#clock.now();
    const known = recent.find(request.attempt, now);
    if (typeof known === "object") return known;
    const recorded = known === undefined ? undefined : this.#state.store.attempt(known);
    const answer =
      recorded === undefined
        ? decideCall(this.#deciding, request, now)
        : recordedAnswer(this.#state, request, recorded, now);
    return recent.note(request.attempt, answer);
  }

  /**
   * Decides the calls of one request in order, each like `admit`. `identity` is the version under which an isolate has kept
   * the caller's identity; if it is not the present one, no call is decided, charged or recorded.
   */
  decideAll(requests: readonly AdmissionRequest[], identity?: number): Decided {
    const { current } = this.#state.identity;
    if (identity !== undefined && identity !== current) return { identity: current, answers: undefined };
    return { identity: current, answers: requests.map((request) => this.admit(request)) };
  }

  /** Notes that the caller's identity has changed: from now on, calls made with an identity read before are refused. */
  forgetIdentity(): void {
    const { log, identity } = this.#state;
    // An object without a record has never confirmed an identity. A made-up name must not store anything.
    if (log.state !== undefined || log.isProvisional) identity.raise();
  }

  /** Records the result of an admitted call and says whether its answer may be given. A retry gets the first answer. */
  settle(settlement: Settlement): SettlementAnswer {
    const { log, flow } = this.#state;
    const settled = log.outcomeOf(settlement.attempt);
    if (settled !== undefined) return recordedSettlement(this.#state, settled);
    const attempt = log.takeAttempt(settlement.attempt);
    // The attempt was pruned while the call ran.
    if (log.state === undefined || attempt === undefined)
      return { given: false, refusal: { verdict: "block" } };
    const now = this.#clock.now();
    const { decision, isWithheld } = flow.judgeResult(settlement, attempt, now);
    const refusal = noteDecision(this.#state, decision, attempt, now);
    this.#delivery.deliverLater();
    const isGiven = refusal === undefined || !isWithheld;
    const withheld = isGiven ? null : FLOW_CODES[refusal.verdict];
    log.append({ kind: "outcome", ...settlement, withheld, hits: decision.hits }, now);
    this.#anchoring.scheduleAnchor(now);
    this.#anchoring.anchorIfDue(now);
    const answer = isGiven ? ({ given: true } as const) : ({ given: false, refusal } as const);
    return { ...answer, ...verdictsOf(decision.hits) };
  }

  /** Counts a call by somebody whom this principal made against its budgets; says whether the answer may be given. */
  share({ admission, settlement }: SharedCall): SettlementAnswer {
    const admitted = this.admit(admission);
    if (admitted.admitted) return this.settle({ ...settlement, attempt: admitted.seq });
    return { given: false, refusal: admitted.stage === "flow" ? admitted.refusal : { verdict: "block" } };
  }

  /** Consumes the nonce of a signed request. A retry of the same request gets the same answer. */
  consumeNonce(spent: Spent): NonceAnswer {
    const { nonces } = this.#state;
    const answer = nonces.consume(spent, this.#clock.now());
    // One alarm when all have expired: under steady signing, one for each nonce would be an alarm a request.
    this.#alarm.ringBy(nonces.emptyAt());
    return answer;
  }

  /** Begins the exchange of a refresh token. A retry of the same request gets the same answer. */
  beginRefresh(request: RefreshRequest): Promise<RefreshUse> {
    return this.#state.refreshes.begin(request, () => this.#clock.now());
  }

  /** Ends the exchange that `beginRefresh` called the first. */
  endRefresh(outcome: RefreshOutcome): void {
    const { refreshes } = this.#state;
    refreshes.end(outcome, this.#clock.now());
    this.#alarm.ringBy(refreshes.dueAt());
  }

  /** Forgets the refresh tokens of a grant that has ended. */
  forgetGrant(grantId: string): void {
    this.#state.refreshes.forget(grantId);
  }

  /**
   * Releases, declines or closes an incident together with those that wait for the same answer. Returns undefined if it is
   * not open.
   */
  async decide(decision: PersonsDecision): Promise<Incident | undefined> {
    const now = this.#clock.now();
    // The object drops a decided incident once it is delivered; then only D1 has it.
    if (this.#state.log.noted(decision.noteId) !== undefined)
      return this.#state.incidents.find(decision.incident) ?? findIncident(this.env.DB, decision.incident);
    const decided = decideIncident(this.#state, decision, now);
    if (decided !== undefined) await this.#deliverDecision(now);
    return decided;
  }

  /**
   * Releases the caller from a rule that stops it, or from all (null). Returns the rules; empty if nothing stops the caller.
   */
  async release(released: Released): Promise<string[]> {
    const now = this.#clock.now();
    const noted = this.#state.log.noted(released.noteId);
    if (noted !== undefined) return noted.kind === "decision" ? noted.rules : [];
    const rules = releaseCaller(this.#state, released, now);
    if (rules.length > 0) await this.#deliverDecision(now);
    return rules;
  }

  noteChange({ principal, noteId, incident = null, ...change }: ElsewhereDecided): void {
    const now = this.#clock.now();
    this.#record(
      principal,
      { kind: "decision", rules: [], incident, until: now, allowance: 0, ...change },
      now,
      noteId,
    );
  }

  noteIdentity({ principal, noteId, ...change }: IdentityChanged): void {
    this.#record(principal, { kind: "change", ...change }, this.#clock.now(), noteId);
  }

  /** Returns the incidents that are decided together with an open one, that one first. */
  decidedWith(incident: string): Incident[] {
    return decidedWith(this.#state, incident, this.#clock.now());
  }

  /** Returns an admin's view of the caller; `windowMs` are the lengths of its rate windows. */
  overview(windowMs: Record<Bucket, number>): Overview {
    return overviewOf(this.#state, windowMs, this.#clock.now());
  }

  /** Returns attempts by number, and those just before the last of them, the latest first, without pruned ones. */
  callsAround(attempts: readonly number[]): CallsAround {
    return callsAround(this.#state, attempts);
  }

  /** Counts each rule's hits since a moment. */
  ruleHits(since: number): RuleHits[] {
    return countRuleHits(this.#state.store.withHits(since));
  }

  /** Anchors the chain and returns the anchor, up to which it can be exported; undefined if there is no record. */
  anchor(): Promise<Anchor | undefined> {
    return this.#anchoring.anchor();
  }

  /** Returns the chain's present end as the object itself knows it; undefined if there is no record. Writes nothing. */
  chain(): Anchor | undefined {
    return this.#anchoring.lastAnchor();
  }

  /** Returns lines of an export after record `after`, up to record `upTo`. */
  exportPage(after: number, upTo: number, limit: number): ExportedLine[] {
    return this.#state.store.lines(after, upTo, limit);
  }

  override alarm(): Promise<void> {
    return this.#maintenance.run();
  }

  async #deliverDecision(now: number): Promise<void> {
    this.#anchoring.scheduleAnchor(now);
    await this.#delivery.deliverDecision();
  }

  /** Records an event about a principal, who may never have called; once for each `noteId`. */
  #record(principal: string, draft: Draft, now: number, noteId: string | undefined): void {
    const { log } = this.#state;
    if (log.noted(noteId) !== undefined) return;
    log.begin(principal, policyInForce().retention.audit_days * DAY, now);
    log.append(draft, now, noteId);
    this.#anchoring.scheduleAnchor(now);
    this.#anchoring.anchorIfDue(now);
  }
}
