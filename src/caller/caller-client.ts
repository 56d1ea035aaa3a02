import { waitUntil } from "cloudflare:workers";
import { type Deadline, RequestOver, within } from "../deadlines.ts";
import { logSurprise } from "../telemetry/log.ts";
import { timed } from "../telemetry/sink.ts";
import { Unreachable, causeOf, hasFlag, wasReset } from "../unreachable.ts";
import type { AdmissionRequest, Decided, Settlement, SettlementAnswer, SharedCall } from "./admission.ts";
import type { NonceAnswer, Spent } from "./nonces.ts";
import type { RefreshOutcome, RefreshRequest, RefreshUse } from "./refreshes.ts";
import type { Anchor } from "./audit/chain.ts";
import type { PersonsDecision } from "./detection/decisions.ts";
import type { Incident } from "../incidents/incident-record.ts";
import type { CallsAround, Overview, RuleHits } from "./overview.ts";
import type { Bucket } from "./audit/records.ts";
import type { ExportedLine } from "./store/chain-rows.ts";
import { isKeptBusy, noteSent } from "./rate/calls-sent.ts";
import type { CallerNamespace } from "./caller-do.ts";
import type { ElsewhereDecided, IdentityChanged, Released } from "./noted-changes.ts";

/** Milliseconds after which a Durable Object counts as unreachable. */
const DEADLINE_MS = 3_000;

type Stub = ReturnType<CallerNamespace["getByName"]>;
type Wait = <T>(ms: number, work: () => Promise<T>) => Promise<T>;

/**
 * `before`: record, then act, and abort if recording fails. `after`: act, then record; the request stays alive until the
 * record is made, but the answer waits no longer than the deadline.
 */
export type NoteOrder = "before" | "after";

/** A caller's Durable Object is too busy with its own caller's calls to answer. */
export class Overloaded extends Unreachable {
  override name = "Overloaded";
}

/**
 * Calls one caller's Durable Object on behalf of one request; CallerDO documents the methods. Each throws Unreachable if the
 * object does not answer in time. The stub is reused: a new one for the settlement costs a third of the settlement's call.
 */
export class CallerClient {
  readonly #windows: CallerNamespace;
  readonly #principal: string;
  readonly #wait: Wait;
  #stub: Stub | undefined;

  /** `deadline` is the request's; once it has passed, the methods throw RequestOver. */
  constructor(windows: CallerNamespace, principal: string, deadline?: Deadline) {
    this.#windows = windows;
    this.#principal = principal;
    this.#wait = deadline === undefined ? within : (ms, work) => deadline.within(ms, work);
  }

  /** Decides the calls of one request with one message. `identity` is the version of a kept identity. */
  async admit(requests: readonly AdmissionRequest[], identity: number | undefined): Promise<Decided> {
    const now = Date.now();
    noteSent(this.#principal, requests.length, now);
    try {
      return await timed("admit", () =>
        this.#reach<Decided>(async (object) => object.decideAll(requests, identity)),
      );
    } catch (error) {
      if (!(error instanceof Unreachable) || !isKeptBusy(this.#principal, now)) throw error;
      throw new Overloaded(error.message, { cause: error.cause });
    }
  }

  /** Counts a call by somebody whom this principal made against its budgets. The caller waits for it. */
  share(shared: SharedCall): Promise<SettlementAnswer> {
    return timed("settle", () => this.#reach<SettlementAnswer>(async (object) => object.share(shared)));
  }

  /**
   * Settles a call while the caller waits. The message is sent even if the request's time has passed, and completes if the
   * caller stops waiting.
   */
  async settle(settlement: Settlement): Promise<SettlementAnswer> {
    const settling = this.settleLater(settlement);
    try {
      return await this.#wait(DEADLINE_MS, () => settling);
    } catch (error) {
      // A failure of the settlement itself is the error that is thrown here.
      waitUntil(settling.catch(() => undefined));
      if (error instanceof RequestOver || error instanceof Unreachable) throw error;
      throw unreachable(error);
    }
  }

  /** Settles a call while nobody waits, so it has no deadline. */
  settleLater(settlement: Settlement): Promise<SettlementAnswer> {
    return timed("settle", () =>
      this.#reach<SettlementAnswer>(async (object) => object.settle(settlement), withoutDeadline),
    );
  }

  consumeNonce(spent: Spent): Promise<NonceAnswer> {
    return timed("nonce", () => this.#reach<NonceAnswer>(async (object) => object.consumeNonce(spent)));
  }

  /** May be repeated after Unreachable. */
  forgetIdentity(): Promise<void> {
    return this.#reach<void>(async (object) => object.forgetIdentity());
  }

  beginRefresh(request: RefreshRequest): Promise<RefreshUse> {
    return this.#reach<RefreshUse>(async (object) => object.beginRefresh(request));
  }

  endRefresh(outcome: RefreshOutcome): Promise<void> {
    return this.#reach<void>(async (object) => object.endRefresh(outcome));
  }

  forgetGrant(grantId: string): Promise<void> {
    return this.#reach<void>(async (object) => object.forgetGrant(grantId));
  }

  /** After Unreachable the decision may have been made all the same; deciding again is harmless. */
  decide(decision: PersonsDecision): Promise<Incident | undefined> {
    const noteId = crypto.randomUUID();
    return this.#reach<Incident | undefined>(async (object) => object.decide({ ...decision, noteId }));
  }

  /** Like `decide`, may be repeated after Unreachable. */
  release(released: Released): Promise<string[]> {
    const noteId = crypto.randomUUID();
    return this.#reach<string[]>(async (object) => object.release({ ...released, noteId }));
  }

  decidedWith(incident: string): Promise<Incident[]> {
    return this.#reach<Incident[]>(async (object) => object.decidedWith(incident));
  }

  overview(windowMs: Record<Bucket, number>): Promise<Overview> {
    return this.#reach<Overview>(async (object) => object.overview(windowMs));
  }

  callsAround(attempts: readonly number[]): Promise<CallsAround> {
    return this.#reach<CallsAround>(async (object) => object.callsAround(attempts));
  }

  ruleHits(since: number): Promise<RuleHits[]> {
    return this.#reach<RuleHits[]>(async (object) => object.ruleHits(since));
  }

  anchor(): Promise<Anchor | undefined> {
    return this.#reach<Anchor | undefined>(async (object) => object.anchor());
  }

  chain(): Promise<Anchor | undefined> {
    return this.#reach<Anchor | undefined>(async (object) => object.chain());
  }

  exportPage(after: number, upTo: number, limit: number): Promise<ExportedLine[]> {
    return this.#reach<ExportedLine[]>(async (object) => object.exportPage(after, upTo, limit));
  }

  /** Records a change exactly once, like noteIdentity. */
  noteChange(decided: Omit<ElsewhereDecided, "principal">, order: NoteOrder): Promise<void> {
    const note = { principal: this.#principal, noteId: crypto.randomUUID(), ...decided };
    return this.#note(async (object) => object.noteChange(note), order);
  }

  /** Records a change exactly once: an object that was reset after storing the record recognises the retry by its id. */
  noteIdentity(changed: Omit<IdentityChanged, "principal">, order: NoteOrder): Promise<void> {
    const note = { principal: this.#principal, noteId: crypto.randomUUID(), ...changed };
    return this.#note(async (object) => object.noteIdentity(note), order);
  }

  async #note(call: (object: Stub) => Promise<void>, order: NoteOrder): Promise<void> {
    if (order === "before") return this.#reach(call);
    const noted = this.#reach(call, withoutDeadline);
    waitUntil(noted.catch((error: unknown) => logSurprise(causeOf(error), { what: "note" })));
    await within(
      DEADLINE_MS,
      () => noted,
      () => undefined,
    );
  }

  /**
   * Calls the object, and retries once with a new stub if the object was reset, because a reset breaks its old stubs. The
   * reset may have come after the call was stored, so every method called here is idempotent. The runtime itself retries a
   * lost connection, and an overloaded object is left to recover.
   * https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
   */
  async #reach<T>(call: (object: Stub) => Promise<T>, wait = this.#wait): Promise<T> {
    const ask = () => call((this.#stub ??= this.#windows.getByName(this.#principal)));
    try {
      return await wait(DEADLINE_MS, ask);
    } catch (error) {
      this.#stub = undefined;
      if (error instanceof RequestOver) throw error;
      const isOverloaded = hasFlag(error, "overloaded");
      const passes = wasReset(error);
      const isUnreached = isOverloaded || hasFlag(error, "retryable");
      // The object's own code threw, so it was reached. Nothing goes on unguarded then.
      if (hasFlag(error, "remote") && !passes && !isUnreached) throw error;
      if (!passes) throw unreachable(error);
    }
    try {
      return await wait(DEADLINE_MS, ask);
    } catch (error) {
      this.#stub = undefined;
      if (error instanceof RequestOver) throw error;
      throw unreachable(error);
    }
  }
}

const unreachable = (cause: unknown): Unreachable =>
  new (hasFlag(cause, "overloaded") ? Overloaded : Unreachable)("A caller's object can't be reached.", {
    cause,
  });

const withoutDeadline: Wait = (_, work) => work();
