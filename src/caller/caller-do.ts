import { DurableObject } from "cloudflare:workers";
import { ALLOWED } from "../detection/decision.ts";
import { SHARED } from "../detection/event.ts";
import { DAY } from "../detection/window.ts";
import { policyInForce } from "../policy/bundled.ts";
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  FLOW_CODES,
  type Settlement,
  type SettlementAnswer,
  type SharedCall,
  firstRefusal,
  heard,
} from "./admission.ts";
import type { Anchor } from "./audit/chain.ts";
import { Clock } from "./clock.ts";
import {
  type Decider,
  type PersonsDecision,
  decideIncident,
  decidedWith,
  noteDecision,
  releaseCaller,
} from "./detection/decisions.ts";
import { findIncident } from "../incidents/incident-rows.ts";
import type { Incident } from "../incidents/incident-record.ts";
import type { NonceAnswer, Spent } from "./nonces.ts";
import { type CallerState, createState } from "./state.ts";
import {
  type CallsAround,
  type Overview,
  type RuleHits,
  callsAround,
  countHits,
  overviewOf,
} from "./overview.ts";
import { recordedAnswer, recordedSettlement } from "./retries/recorded-answers.ts";
import { ADMITTED, type Bucket, type CallerDecision, type Change, type Draft } from "./audit/records.ts";
import { isFoldable } from "./audit/repeats.ts";
import { charge, fitsAt } from "./rate/sliding-window.ts";
import type { ExportedLine } from "./store/chain-rows.ts";
import { judgePage } from "./detection/small-pages.ts";
import { Maintenance } from "./maintenance.ts";

/** What an admin did to a caller elsewhere, or to an incident that is D1's alone. */
export interface ElsewhereDecided extends Decider {
  principal: string;
  decision: CallerDecision | "closed";
  incident?: string | null;
}

/** What is changed of who a caller is. */
export type IdentityChanged = Change & { principal: string; noteId?: string };

/** What somebody lets a caller go on past: one rule that stops it, or all of them (null). */
export type Released = Decider & { rule: string | null };

/** Every caller's object, by principal. */
export type CallerNamespace = DurableObjectNamespace<CallerDO>;

/**
 * One principal's rate windows, flow state, audit and nonces. `admit`, `settle` and `consumeNonce` hold no
 * `await`: nothing of another call comes between their first and last line, and what they write commits
 * as one. Whatever is in memory is read back from what is stored, as memory goes with every eviction, deploy and crash.
 */
export class CallerDO extends DurableObject<Env> {
  readonly #parts: CallerState;
  readonly #clock: Clock;
  readonly #upkeep: Maintenance;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#parts = createState(ctx.storage.sql);
    this.#clock = new Clock(this.#parts.log.latest);
    this.#upkeep = new Maintenance(ctx, env, this.#parts, this.#clock);
    void ctx.blockConcurrencyWhile(() => this.#upkeep.readAlarm());
  }

  /** Answers, for /readyz; nothing comes to be by it. */
  ping(): true {
    return true;
  }

  /** Decides whether a call may run, and records the attempt; once, however often the same request is sent. */
  admit(request: AdmissionRequest): AdmissionAnswer {
    const { recent } = this.#parts;
    const now = this.#clock.now();
    const known = recent.find(request.attempt, now);
    if (typeof known === "object") return known;
    const recorded = known === undefined ? undefined : this.#parts.store.attempt(known);
    const answer =
      recorded === undefined
        ? this.#decide(request, now)
        : recordedAnswer(this.#parts, request, recorded, now);
    return recent.note(request.attempt, answer);
  }

  /** Decides the calls of one request in their order, as `admit` does each. */
  admitAll(requests: readonly AdmissionRequest[]): AdmissionAnswer[] {
    return requests.map((request) => this.admit(request));
  }

  #decide(request: AdmissionRequest, now: number): AdmissionAnswer {
    const { principal, refused, limit, retentionMs, attempt } = request;
    const { log, windows } = this.#parts;
    log.begin(principal, retentionMs, now);
    log.closeRuns(now);
    // A call of somebody whom this principal made was counted in that caller's own window.
    const isShared = attempt.roles.includes(SHARED);
    const window = isShared ? undefined : windows.window(attempt.bucket, limit.windowMs, now);
    const freeAt = window === undefined ? now : fitsAt(window, attempt.weight, limit, now);
    const isOverLimit = freeAt > now;
    const local = firstRefusal(refused, isOverLimit);
    const judged =
      local === undefined ? judgePage(this.#parts, request, now) : { decision: ALLOWED, attempt };
    const { decision, pageMax } = judged;
    const flow = noteDecision(this.#parts, decision, attempt, now);
    this.#upkeep.tellNews();

    // A full window takes no more charges, so that no flood of refusals makes it grow. Who waits for calls in flight pays once.
    const isCharged = !isOverLimit && decision.isBusy !== true;
    const weight = isCharged ? attempt.weight : 0;
    if (isCharged && window !== undefined) charge(window, weight, now);
    this.#upkeep.wakeForRecord(now);
    const { hits } = decision;
    const refusedAs = local?.code ?? (flow && FLOW_CODES[flow.verdict]);
    const draft = {
      kind: "attempt",
      decision: refusedAs ?? ADMITTED,
      ...judged.attempt,
      weight,
      hits,
    } as const;
    if (refusedAs === undefined) {
      if (isFoldable(draft)) return { admitted: true, ...log.fold(draft, limit.windowMs, now) };
      const seq = log.append(draft, now);
      this.#parts.flow.checkpoint(seq, "due");
      return { admitted: true, seq, ...(pageMax !== undefined && { pageMax }), ...heard(hits) };
    }
    log.fold(draft, limit.windowMs, now);
    this.#upkeep.storeCountsSoon();
    if (local === undefined)
      return { admitted: false, stage: "flow", refusal: flow ?? { verdict: "block" }, ...heard(hits) };
    // From the machine's own clock, which is the one that the caller will wait by.
    return local.stage === "rate"
      ? { admitted: false, stage: "rate", retryAfterMs: Math.max(1, freeAt - Date.now()) }
      : { admitted: false, stage: local.stage };
  }

  /** Records what an admitted call turned out to be, and says whether its answer may be given; once, as `admit`. */
  settle(settlement: Settlement): SettlementAnswer {
    const { log, flow } = this.#parts;
    const settled = log.outcomeOf(settlement.attempt);
    if (settled !== undefined) return recordedSettlement(this.#parts, settled);
    const attempt = log.takeAttempt(settlement.attempt);
    // Pruned and gone while the call ran.
    if (log.state === undefined || attempt === undefined)
      return { given: false, refusal: { verdict: "block" } };
    const now = this.#clock.now();
    const { decision, isWithheld } = flow.settle(settlement, attempt, now);
    const refusal = noteDecision(this.#parts, decision, attempt, now);
    this.#upkeep.tellNews();
    const isGiven = refusal === undefined || !isWithheld;
    const withheld = isGiven ? null : FLOW_CODES[refusal.verdict];
    log.append({ kind: "outcome", ...settlement, withheld, hits: decision.hits }, now);
    this.#upkeep.wakeForRecord(now);
    this.#upkeep.anchorIfDue(now);
    const answer = isGiven ? ({ given: true } as const) : ({ given: false, refusal } as const);
    return { ...answer, ...heard(decision.hits) };
  }

  /** Counts a call of somebody whom this principal made against its budgets; says whether the answer may be given. */
  share({ admission, settlement }: SharedCall): SettlementAnswer {
    const admitted = this.admit(admission);
    if (admitted.admitted) return this.settle({ ...settlement, attempt: admitted.seq });
    return { given: false, refusal: admitted.stage === "flow" ? admitted.refusal : { verdict: "block" } };
  }

  /** Takes the nonce of a signed request, once; the same request, sent again, is told the same. */
  consumeNonce(spent: Spent): NonceAnswer {
    const { nonces } = this.#parts;
    const answer = nonces.consume(spent, this.#clock.now());
    this.#upkeep.wakeForNonces();
    return answer;
  }

  /** Lets work go on past the rules of an incident and of those that wait with it, declines, or closes it; undefined where there is none open. */
  async decide(decision: PersonsDecision): Promise<Incident | undefined> {
    const now = this.#clock.now();
    // Once everybody was told, D1 alone has what was decided.
    if (this.#parts.log.noted(decision.noteId) !== undefined)
      return this.#parts.incidents.find(decision.incident) ?? findIncident(this.env.DB, decision.incident);
    const decided = decideIncident(this.#parts, decision, now);
    if (decided !== undefined) await this.#upkeep.tellDecision(now);
    return decided;
  }

  /** Lets the caller go on past a rule that stops it, or past all (null); gives the rules, none where nothing does. */
  async release(released: Released): Promise<string[]> {
    const now = this.#clock.now();
    const noted = this.#parts.log.noted(released.noteId);
    if (noted !== undefined) return noted.kind === "decision" ? noted.rules : [];
    const rules = releaseCaller(this.#parts, released, now);
    if (rules.length > 0) await this.#upkeep.tellDecision(now);
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

  /** What is decided together with an open incident, itself first. */
  decidedWith(incident: string): Incident[] {
    return decidedWith(this.#parts, incident, this.#clock.now());
  }

  /** What an admin sees of the caller; `windowMs` are the lengths of its rate windows. */
  overview(windowMs: Record<Bucket, number>): Overview {
    return overviewOf(this.#parts, windowMs, this.#clock.now());
  }

  /** Attempts by number, and those just before the last of them; the latest first, without pruned ones. */
  callsAround(attempts: readonly number[]): CallsAround {
    return callsAround(this.#parts, attempts);
  }

  /** How often each rule spoke since a moment. */
  ruleHits(since: number): RuleHits[] {
    return countHits(this.#parts.store.withHits(since));
  }

  /** Anchors the chain and gives the anchor, up to which it can be exported; undefined where there is no record. */
  anchor(): Promise<Anchor | undefined> {
    return this.#upkeep.anchor();
  }

  /** Where the chain stood when it was last anchored, as the object itself knows; undefined where it never was. Writes nothing. */
  chain(): Anchor | undefined {
    return this.#upkeep.lastAnchor();
  }

  /** Lines of an export behind record `after`, up to record `upTo`. */
  exportPage(after: number, upTo: number, limit: number): ExportedLine[] {
    return this.#parts.store.lines(after, upTo, limit);
  }

  override alarm(): Promise<void> {
    return this.#upkeep.alarm();
  }

  /** Records something about a principal, who may not have called yet; once for each `noteId`. */
  #record(principal: string, draft: Draft, now: number, noteId: string | undefined): void {
    const { log } = this.#parts;
    if (log.noted(noteId) !== undefined) return;
    log.begin(principal, policyInForce().retention.audit_days * DAY, now);
    log.append(draft, now, noteId);
    this.#upkeep.wakeForRecord(now);
    this.#upkeep.anchorIfDue(now);
  }
}
