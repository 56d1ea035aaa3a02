import { DurableObject } from "cloudflare:workers";
import { ensureMigrated } from "../database/migrate.ts";
import { type Settings, readSettings } from "../env.ts";
import { type Decision, isRefused } from "../flow/decision.ts";
import { DAY } from "../flow/window.ts";
import { policyInForce } from "../policy/bundled.ts";
import { logSurprise } from "../telemetry/log.ts";
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  FLOW_CODES,
  type FlowRefusal,
  type Settlement,
  type SettlementAnswer,
  firstRefusal,
} from "./admission.ts";
import { closeAnchor, writeAnchor } from "./anchors.ts";
import type { Anchor } from "./chain.ts";
import { tellWebhook, writeIncident } from "./incident-delivery.ts";
import { kindOf } from "./incident-log.ts";
import type { Incident } from "./incidents.ts";
import type { NonceAnswer, Spent } from "./nonces.ts";
import { type Parts, createParts } from "./parts.ts";
import { charge, fitsAt } from "./sliding-window.ts";

/** D1 is told where a chain stands at most this often; what could not be told is tried again this much later. */
const ANCHOR_MS = 60_000;
/** Flow rules look back so far. */
const FLOW_MS = 30 * DAY;

/** What a person decided about an incident. `note` is for those who look at it later. */
export interface PersonsDecision {
  incident: string;
  release: boolean;
  by: string;
  note: string | null;
}

/**
 * One principal's rate windows, flow state, audit and nonces. `admit`, `settle` and `consumeNonce` hold no
 * `await`: nothing of another call comes between their first and last line, and what they write commits
 * as one. Whatever is in memory is read back from what is stored, as memory goes with every eviction, deploy and crash.
 */
export class UserWindows extends DurableObject<Env> {
  #parts: Parts;
  /** Never before what is stored, however the machine's clock is set. */
  #clock: number;
  /** Undefined until it is known. */
  #alarmAt: number | null | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#parts = createParts(ctx.storage.sql);
    this.#clock = this.#parts.log.latest;
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
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
    const decision: Decision =
      local === undefined ? this.#judge(request, now) : { verdict: "allow", hits: [] };
    const flow = this.#flowRefusal(decision, attempt.name, now);

    // A full window takes no more charges, so that no flood of refusals makes it grow.
    const isCharged = !isOverLimit;
    const weight = isCharged ? attempt.weight : 0;
    if (isCharged) charge(window, weight, now);
    this.#wakeBy(now + ANCHOR_MS);
    const { hits } = decision;
    const refusedAs = local?.code ?? (flow && FLOW_CODES[flow.verdict]);
    const draft = { kind: "attempt", decision: refusedAs ?? "admitted", ...attempt, weight, hits } as const;
    if (refusedAs === undefined) return { admitted: true, seq: log.append(draft, now) };
    log.refuse(draft, limit.windowMs, now);
    if (local === undefined) return { admitted: false, stage: "flow", refusal: flow ?? { verdict: "block" } };
    // From the machine's own clock, which is the one that the caller will wait by.
    return local.stage === "rate"
      ? { admitted: false, stage: "rate", retryAfterMs: Math.max(1, freeAt - Date.now()) }
      : { admitted: false, stage: local.stage };
  }

  /** Records what an admitted call turned out to be, and says whether its answer may be given. */
  settle(settlement: Settlement): SettlementAnswer {
    const { log, store, flow } = this.#parts;
    const attempt = store.attempt(settlement.attempt);
    // Pruned and gone while the call ran.
    if (log.state === undefined || attempt === undefined)
      return { given: false, refusal: { verdict: "block" } };
    const now = this.#tick();
    const { decision, isWithheld } = flow.settle(settlement, attempt, now);
    const refusal = this.#flowRefusal(decision, attempt.name, now);
    const isGiven = refusal === undefined || !isWithheld;
    const withheld = isGiven ? null : FLOW_CODES[refusal.verdict];
    log.append({ kind: "outcome", ...settlement, withheld, hits: decision.hits }, now);
    this.#wakeBy(now + ANCHOR_MS);
    if (now - log.state.anchored.at >= ANCHOR_MS) this.ctx.waitUntil(this.#quietly(() => this.anchor()));
    return isGiven ? { given: true } : { given: false, refusal };
  }

  /** Takes the nonce of a signed request, once. */
  consumeNonce(spent: Spent): NonceAnswer {
    const { nonces } = this.#parts;
    const answer = nonces.consume(spent, this.#tick());
    // When all are past, not each: under steady signing that would be an alarm a request.
    this.#wakeBy(nonces.emptyAt());
    return answer;
  }

  /** Lets work go on past the rules of an incident and of those that wait with it, or declines; undefined where there is none open. */
  async decide({ incident: id, release, by, note }: PersonsDecision): Promise<Incident | undefined> {
    const { log, flow, incidents } = this.#parts;
    const incident = incidents.find(id);
    if (incident?.status !== "open") return undefined;
    const now = this.#tick();
    const { minutes, allowance } = policyInForce().confirmation;
    const together = [incident, ...incidents.waiting(kindOf(incident.rule) === "taint")];
    const rules = [...new Set(together.map(({ rule }) => rule))];
    const until = now + minutes * 60_000;
    for (const rule of release ? rules : []) flow.release({ rule, subject: null, at: now, until, allowance });
    const decision = release ? "released" : "declined";
    for (const each of new Set(together)) incidents.decide(each, decision, by, note, now);
    log.append({ kind: "decision", decision, rules, incident: id, by, until, allowance }, now);
    this.#wakeBy(now + ANCHOR_MS);
    await this.#tellIncidents();
    return incidents.find(id);
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
    const { log, store, incidents, nonces } = this.#parts;
    const now = this.#tick();
    log.closeRuns(now);
    log.prune(now);
    nonces.dropPast(now);
    this.#wakeBy(nonces.emptyAt());
    const { state, head } = log;
    if (state === undefined || head === undefined) return;
    // What fails here is tried again a minute later, not by the runtime, which gives up after six times.
    if (incidents.untold().length > 0) await this.#quietly(() => this.#tellIncidents());
    if (incidents.untold().length > 0) this.#wakeBy(now + ANCHOR_MS);
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

  #judge(request: AdmissionRequest, now: number): Decision {
    const { log, flow, nonces } = this.#parts;
    const seq = (log.head?.seq ?? 0) + 1;
    const decision = flow.admit(request, seq, now);
    const { agreed } = request;
    if (decision.verdict !== "confirm" || agreed === undefined || !isAboutWrites(decision)) return decision;
    if (nonces.consume({ keyId: "form", ...agreed }, now).status !== "fresh") return decision;
    // For this call alone, and for what has been read until now.
    const rules = decision.hits.map(({ rule }) => rule);
    for (const rule of rules) flow.release({ rule, subject: null, at: now, until: now + 1, allowance: 0 });
    const released = {
      decision: "released",
      rules,
      incident: null,
      by: "principal",
      until: now + 1,
    } as const;
    const decidedAs = log.append({ kind: "decision", ...released, allowance: 0 }, now);
    return flow.admit(request, decidedAs + 1, now);
  }

  /** Notes a decision's incidents; gives what the caller is refused with. */
  #flowRefusal(decision: Decision, tool: string, now: number): FlowRefusal | undefined {
    const { log, incidents } = this.#parts;
    if (decision.hits.length === 0) return undefined;
    const noted = incidents.note(decision, log.state?.principal ?? "", tool, now);
    if (incidents.untold().length > 0) this.ctx.waitUntil(this.#quietly(() => this.#tellIncidents()));
    if (!isRefused(decision.verdict)) return undefined;
    const waiting = noted.find(({ verdict }) => verdict === "confirm");
    if (decision.verdict === "confirm" && waiting !== undefined)
      return { verdict: "confirm", incident: waiting.id, form: isAboutWrites(decision) };
    if (decision.verdict === "throttle")
      return { verdict: "throttle", retryAfterMs: Math.ceil(decision.retryAfterMs ?? ANCHOR_MS) };
    return { verdict: "block" };
  }

  /** Tells D1, and the webhook where there is one. What fails stays untold, and the alarm tries again. */
  async #tellIncidents(): Promise<void> {
    const { incidents } = this.#parts;
    const settings: Settings = readSettings(this.env);
    await ensureMigrated(this.env.DB);
    const untold = incidents.untold();
    // D1 first: a webhook that is down must not keep them from the dashboard.
    for (const incident of untold) await writeIncident(this.env.DB, incident);
    for (const incident of untold) {
      await tellWebhook(settings, incident, Date.now());
      incidents.noteTold(incident);
    }
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
    const { store, log, incidents, nonces } = this.#parts;
    if (store.oldestAt() !== undefined || log.runs.size > 0) return false;
    const isRemembered = store.hasFlow() && now - (log.state?.prunedAt ?? 0) < FLOW_MS;
    return !isRemembered && incidents.untold().length === 0 && nonces.emptyAt() === undefined;
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

/** Whether all that a decision asks a person about is a write after text that reads like an instruction. */
const isAboutWrites = ({ hits }: Decision): boolean =>
  hits.every(
    ({ mode, verdict, rule }) => mode !== "enforce" || verdict !== "confirm" || kindOf(rule) === "taint",
  );
