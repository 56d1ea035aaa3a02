import { DurableObject } from "cloudflare:workers";
import { ensureMigrated } from "../database/migrate.ts";
import { ALLOWED } from "../flow/decision.ts";
import { DAY } from "../flow/window.ts";
import { policyInForce } from "../policy/bundled.ts";
import { logSurprise } from "../telemetry/log.ts";
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  FLOW_CODES,
  type Settlement,
  type SettlementAnswer,
  firstRefusal,
  heard,
} from "./admission.ts";
import { closeAnchor, writeAnchor } from "./anchors.ts";
import type { Anchor } from "./chain.ts";
import {
  type Decider,
  type PersonsDecision,
  decideIncident,
  decidedWith,
  judgeCall,
  noteDecision,
  releaseCaller,
} from "./flow-stage.ts";
import { IncidentCourier } from "./incident-courier.ts";
import type { Incident } from "./incidents.ts";
import type { NonceAnswer, Spent } from "./nonces.ts";
import { type Parts, createParts } from "./parts.ts";
import {
  type CallsAround,
  type Overview,
  type RuleHits,
  callsAround,
  countHits,
  overviewOf,
} from "./overview.ts";
import { ADMITTED, type Bucket, type CallerDecision, type Change, type Draft } from "./records.ts";
import { charge, fitsAt } from "./sliding-window.ts";
import type { State } from "./store.ts";

/** D1 is told where a chain stands at most this often; what could not be told is tried again this much later. */
const ANCHOR_MS = 60_000;
/** Flow rules look back so far. */
const FLOW_MS = 30 * DAY;

/** What an admin did to a caller elsewhere, or to an incident that is D1's alone. */
export interface ElsewhereDecided extends Decider {
  principal: string;
  decision: CallerDecision | "closed";
  incident?: string | null;
}

/** What is changed of who a caller is. */
export type IdentityChanged = Change & { principal: string };

/** Every caller's object, by principal. */
export type Windows = DurableObjectNamespace<UserWindows>;

/**
 * One principal's rate windows, flow state, audit and nonces. `admit`, `settle` and `consumeNonce` hold no
 * `await`: nothing of another call comes between their first and last line, and what they write commits
 * as one. Whatever is in memory is read back from what is stored, as memory goes with every eviction, deploy and crash.
 */
export class UserWindows extends DurableObject<Env> {
  #parts: Parts;
  readonly #courier: IncidentCourier;
  /** Never before what is stored, however the machine's clock is set. */
  #clock: number;
  /** Undefined until it is known. */
  #alarmAt: number | null | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#parts = createParts(ctx.storage.sql);
    this.#courier = new IncidentCourier(env, () => this.#parts.incidents);
    this.#clock = this.#parts.log.latest;
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  /** Answers, for /readyz; nothing comes to be by it. */
  ping(): true {
    return true;
  }

  /** Decides whether a call may run, and records the attempt. */
  admit(request: AdmissionRequest): AdmissionAnswer {
    const { principal, refused, limit, retentionMs, attempt } = request;
    const { log, windows } = this.#parts;
    const now = this.#tick();
    log.begin(principal, retentionMs, now);
    log.closeRuns(now);
    const window = windows.window(attempt.bucket, limit.windowMs, now);
    const freeAt = fitsAt(window, attempt.weight, limit, now);
    const isOverLimit = freeAt > now;
    const local = firstRefusal(refused, isOverLimit);
    const decision = local === undefined ? judgeCall(this.#parts, request, now) : ALLOWED;
    const flow = noteDecision(this.#parts, decision, attempt.name, now);
    this.#tellNews();

    // A full window takes no more charges, so that no flood of refusals makes it grow.
    const isCharged = !isOverLimit;
    const weight = isCharged ? attempt.weight : 0;
    if (isCharged) charge(window, weight, now);
    this.#wakeBy(now + ANCHOR_MS);
    const { hits } = decision;
    const refusedAs = local?.code ?? (flow && FLOW_CODES[flow.verdict]);
    const draft = { kind: "attempt", decision: refusedAs ?? ADMITTED, ...attempt, weight, hits } as const;
    if (refusedAs === undefined) {
      const seq = log.append(draft, now);
      this.#parts.flow.keepUp(seq, "due");
      return { admitted: true, seq, ...heard(hits) };
    }
    log.refuse(draft, limit.windowMs, now);
    if (local === undefined)
      return { admitted: false, stage: "flow", refusal: flow ?? { verdict: "block" }, ...heard(hits) };
    // From the machine's own clock, which is the one that the caller will wait by.
    return local.stage === "rate"
      ? { admitted: false, stage: "rate", retryAfterMs: Math.max(1, freeAt - Date.now()) }
      : { admitted: false, stage: local.stage };
  }

  /** Records what an admitted call turned out to be, and says whether its answer may be given. */
  settle(settlement: Settlement): SettlementAnswer {
    const { log, flow } = this.#parts;
    const attempt = log.takeAttempt(settlement.attempt);
    // Pruned and gone while the call ran.
    if (log.state === undefined || attempt === undefined)
      return { given: false, refusal: { verdict: "block" } };
    const now = this.#tick();
    const { decision, isWithheld } = flow.settle(settlement, attempt, now);
    const refusal = noteDecision(this.#parts, decision, attempt.name, now);
    this.#tellNews();
    const isGiven = refusal === undefined || !isWithheld;
    const withheld = isGiven ? null : FLOW_CODES[refusal.verdict];
    log.append({ kind: "outcome", ...settlement, withheld, hits: decision.hits }, now);
    this.#wakeBy(now + ANCHOR_MS);
    this.#anchorIfDue(log.state, now);
    const answer = isGiven ? ({ given: true } as const) : ({ given: false, refusal } as const);
    return { ...answer, ...heard(decision.hits) };
  }

  /** Takes the nonce of a signed request, once. */
  consumeNonce(spent: Spent): NonceAnswer {
    const { nonces } = this.#parts;
    const answer = nonces.consume(spent, this.#tick());
    // When all are past, not each: under steady signing that would be an alarm a request.
    this.#wakeBy(nonces.emptyAt());
    return answer;
  }

  /** Lets work go on past the rules of an incident and of those that wait with it, declines, or closes it; undefined where there is none open. */
  async decide(decision: PersonsDecision): Promise<Incident | undefined> {
    const now = this.#tick();
    const decided = decideIncident(this.#parts, decision, now);
    if (decided !== undefined) await this.#tellDecision(now);
    return decided;
  }

  /** Lets the caller go on past a rule that stops it, or past all (null); gives the rules, none where nothing does. */
  async release(released: Decider & { rule: string | null }): Promise<string[]> {
    const now = this.#tick();
    const rules = releaseCaller(this.#parts, released, now);
    if (rules.length > 0) await this.#tellDecision(now);
    return rules;
  }

  noteChange({ principal, incident = null, ...change }: ElsewhereDecided): void {
    const now = this.#tick();
    this.#record(
      principal,
      { kind: "decision", rules: [], incident, until: now, allowance: 0, ...change },
      now,
    );
  }

  noteIdentity({ principal, ...change }: IdentityChanged): void {
    this.#record(principal, { kind: "change", ...change }, this.#tick());
  }

  /** What is decided together with an open incident, itself first. */
  decidedWith(incident: string): Incident[] {
    return decidedWith(this.#parts, incident, this.#tick());
  }

  /** What an admin sees of the caller; `windowMs` are the lengths of its rate windows. */
  overview(windowMs: Record<Bucket, number>): Overview {
    return overviewOf(this.#parts, windowMs, this.#tick());
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
  async anchor(): Promise<Anchor | undefined> {
    const { log } = this.#parts;
    const { state, head } = log;
    if (state === undefined || head === undefined) return undefined;
    const now = this.#tick();
    // Noted first, so that calls which come in meanwhile anchor no second time.
    log.noteAnchor(head.seq, now);
    try {
      await ensureMigrated(this.env.DB);
      return await writeAnchor(this.env.DB, state, head, now);
    } catch (error) {
      log.noteAnchor(state.anchored.seq, now);
      throw error;
    }
  }

  /** Lines of an export behind record `after`, up to record `upTo`. */
  exportPage(after: number, upTo: number, limit: number): { seq: number; line: string }[] {
    return this.#parts.store.lines(after, upTo, limit);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const { log, store, nonces } = this.#parts;
    const now = this.#tick();
    log.closeRuns(now);
    // What is pruned can't be read again.
    if (log.head !== undefined) this.#parts.flow.keepUp(log.head.seq, "always");
    log.prune(now);
    nonces.dropPast(now);
    this.#wakeBy(nonces.emptyAt());
    const { state, head } = log;
    if (state === undefined || head === undefined) return;
    // What fails here is tried again a minute later, not by the runtime, which gives up after six times.
    await this.#courier.deliver();
    this.#wakeBy(this.#courier.againAt(now));
    if (this.#isEmpty(now)) await this.#quietly(() => this.#end());
    if (this.#parts.log.state === undefined) return;

    const isDue = now - state.anchored.at >= ANCHOR_MS;
    if (head.seq > state.anchored.seq && isDue) await this.#quietly(() => this.anchor());
    const { anchored } = log.state ?? state;
    if (head.seq > anchored.seq) this.#wakeBy(anchored.at + ANCHOR_MS);
    for (const { until } of log.runs.values()) this.#wakeBy(until);
    const oldest = store.oldestAt();
    const forgetAt = store.hasFlow() ? state.prunedAt + FLOW_MS : now;
    const isOver = oldest === undefined ? forgetAt : oldest + state.retentionMs + 1;
    this.#wakeBy(Math.max(isOver, now + ANCHOR_MS));
  }

  /** Of a principal who may not have called yet. */
  #record(principal: string, draft: Draft, now: number): void {
    const { log } = this.#parts;
    log.begin(principal, policyInForce().retention.audit_days * DAY, now);
    log.append(draft, now);
    this.#wakeBy(now + ANCHOR_MS);
    if (log.state !== undefined) this.#anchorIfDue(log.state, now);
  }

  #anchorIfDue({ anchored }: State, now: number): void {
    if (now - anchored.at >= ANCHOR_MS) this.ctx.waitUntil(this.#quietly(() => this.anchor()));
  }

  async #tellDecision(now: number): Promise<void> {
    this.#wakeBy(now + ANCHOR_MS);
    // The person's next page reads D1. The decision stands, whoever can't be told of it now.
    await this.#courier.write();
    this.#tellNews();
  }

  #tellNews(): void {
    if (this.#parts.incidents.takeNews()) this.ctx.waitUntil(this.#courier.deliver());
  }

  #tick(): number {
    this.#clock = Math.max(this.#clock, Date.now());
    return this.#clock;
  }

  /** One alarm, for whatever comes first; setting it is a billed write, so only where it must be sooner. */
  #wakeBy(at: number | undefined): void {
    if (at === undefined) return;
    if (typeof this.#alarmAt === "number" && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }

  async #quietly(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // The alarm tries again.
      logSurprise(error, { what: "UserWindows" });
    }
  }

  #isEmpty(now: number): boolean {
    const { store, log, nonces } = this.#parts;
    if (store.oldestAt() !== undefined || log.runs.size > 0) return false;
    const isRemembered = store.hasFlow() && now - (log.state?.prunedAt ?? 0) < FLOW_MS;
    return !isRemembered && this.#courier.againAt(now) === undefined && nonces.emptyAt() === undefined;
  }

  /** Deletes all that is stored, unless a call comes in meanwhile. */
  async #end(): Promise<void> {
    const { state } = this.#parts.log;
    if (state === undefined) return;
    await ensureMigrated(this.env.DB);
    await closeAnchor(this.env.DB, state, this.#tick());
    // A call has come in meanwhile, and the row says that its chain is over.
    if (!this.#isEmpty(this.#tick())) return void (await this.anchor());
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#parts = createParts(this.ctx.storage.sql);
  }
}
