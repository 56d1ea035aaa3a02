import { waitUntil } from "cloudflare:workers";
import * as z from "zod";
import { type Deadline, RequestOver, within } from "../deadlines.ts";
import { logSurprise } from "../telemetry/log.ts";
import { timed } from "../telemetry/sink.ts";
import type {
  AdmissionAnswer,
  AdmissionRequest,
  Settlement,
  SettlementAnswer,
  SharedCall,
} from "./admission.ts";
import type { NonceAnswer, Spent } from "./nonces.ts";
import type { Anchor } from "./audit/chain.ts";
import type { PersonsDecision } from "./detection/decisions.ts";
import type { Incident } from "../incidents/incident-record.ts";
import type { CallsAround, Overview, RuleHits } from "./overview.ts";
import type { Bucket } from "./audit/records.ts";
import type { ExportedLine } from "./store/chain-rows.ts";
import { isKeptBusy, noteSent } from "./rate/calls-sent.ts";
import type { ElsewhereDecided, IdentityChanged, Released, CallerNamespace } from "./caller-do.ts";

/** Milliseconds after which a Durable Object counts as out of reach. */
const DEADLINE_MS = 3_000;

type Stub = ReturnType<CallerNamespace["getByName"]>;
type Wait = <T>(ms: number, work: () => Promise<T>) => Promise<T>;

/**
 * A note is made before what it tells of, which is not done where it can't be made, or after it. Then the request lives on
 * for it while its object is kept busy, and only its answer waits no longer than the deadline.
 */
export type When = "before" | "after";

/** A Durable Object could not be reached, or did not answer in time. */
export class Unreachable extends Error {
  override name: string = "Unreachable";
}

/** A caller's Durable Object is there, and too busy with its own caller's calls to answer. */
export class Overloaded extends Unreachable {
  override name = "Overloaded";
}

/** What went wrong, for the log: of an object out of reach, why it is. */
export const causeOf = (error: unknown): unknown => (error instanceof Unreachable ? error.cause : error);

/**
 * One caller's Durable Object, as one request asks it; what is asked is told at CallerDO, and whatever is asked throws
 * Unreachable where there is no answer in time. The stub is kept: a new one for the settlement is a third of what
 * the settlement's call costs.
 */
export class CallerClient {
  readonly #windows: CallerNamespace;
  readonly #principal: string;
  readonly #wait: Wait;
  #stub: Stub | undefined;

  /** `deadline` is the request's; when its time has passed, the methods throw RequestOver. */
  constructor(windows: CallerNamespace, principal: string, deadline?: Deadline) {
    this.#windows = windows;
    this.#principal = principal;
    this.#wait = deadline === undefined ? within : (ms, work) => deadline.within(ms, work);
  }

  /** Decides the calls of one request with one message; gives the answers in the same order. */
  async admit(requests: readonly AdmissionRequest[]): Promise<readonly AdmissionAnswer[]> {
    const [first, ...others] = requests;
    if (first === undefined) return [];
    const now = Date.now();
    noteSent(this.#principal, requests.length, now);
    try {
      return await timed("admit", () =>
        this.#reach<readonly AdmissionAnswer[]>(async (object) =>
          others.length === 0 ? [await object.admit(first)] : object.admitAll(requests),
        ),
      );
    } catch (error) {
      if (!(error instanceof Unreachable) || !isKeptBusy(this.#principal, now)) throw error;
      throw new Overloaded(error.message, { cause: error.cause });
    }
  }

  /** Counts a call of somebody whom this principal made against its budgets. A caller waits for it. */
  share(shared: SharedCall): Promise<SettlementAnswer> {
    return timed("settle", () => this.#reach<SettlementAnswer>(async (object) => object.share(shared)));
  }

  /** A caller waits for it. It is sent even when the request's time has passed, and goes on when the caller waits no longer. */
  async settle(settlement: Settlement): Promise<SettlementAnswer> {
    const settling = this.settleLater(settlement);
    try {
      return await this.#wait(DEADLINE_MS, () => settling);
    } catch (error) {
      // A failure of the settlement itself is what was just thrown.
      waitUntil(settling.catch(() => undefined));
      if (error instanceof RequestOver || error instanceof Unreachable) throw error;
      throw unreachable(error);
    }
  }

  /** Nobody waits for it, so that it may take as long as it takes. */
  settleLater(settlement: Settlement): Promise<SettlementAnswer> {
    return timed("settle", () =>
      this.#reach<SettlementAnswer>(async (object) => object.settle(settlement), patiently),
    );
  }

  consumeNonce(spent: Spent): Promise<NonceAnswer> {
    return timed("nonce", () => this.#reach<NonceAnswer>(async (object) => object.consumeNonce(spent)));
  }

  /** Where it is Unreachable, the decision may have been made all the same: to decide again does no harm. */
  decide(decision: PersonsDecision): Promise<Incident | undefined> {
    const noteId = crypto.randomUUID();
    return this.#reach<Incident | undefined>(async (object) => object.decide({ ...decision, noteId }));
  }

  /** As `decide`. */
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

  /** Recorded once, as below. */
  noteChange(decided: Omit<ElsewhereDecided, "principal">, when: When): Promise<void> {
    const note = { principal: this.#principal, noteId: crypto.randomUUID(), ...decided };
    return this.#note(async (object) => object.noteChange(note), when);
  }

  /** Recorded once: an object that is reset after it has stored the record knows the note when it is asked again. */
  noteIdentity(changed: Omit<IdentityChanged, "principal">, when: When): Promise<void> {
    const note = { principal: this.#principal, noteId: crypto.randomUUID(), ...changed };
    return this.#note(async (object) => object.noteIdentity(note), when);
  }

  async #note(call: (object: Stub) => Promise<void>, when: When): Promise<void> {
    if (when === "before") return this.#reach(call);
    const noted = this.#reach(call, patiently);
    waitUntil(noted.catch((error: unknown) => logSurprise(causeOf(error), { what: "note" })));
    await within(
      DEADLINE_MS,
      () => noted,
      () => undefined,
    );
  }

  /**
   * Calls the object; once more, with a new stub, where it was reset, since a reset object has taken its old stub with it.
   * It may have stored the call before that, so whatever is called here is done once however often it is asked. A lost
   * connection is left to the runtime, which has tried again by then, and an overloaded object to recover.
   * https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
   */
  async #reach<T>(call: (object: Stub) => Promise<T>, wait = this.#wait): Promise<T> {
    const ask = () => call((this.#stub ??= this.#windows.getByName(this.#principal)));
    try {
      return await wait(DEADLINE_MS, ask);
    } catch (error) {
      this.#stub = undefined;
      if (error instanceof RequestOver) throw error;
      const isOverloaded = has(error, "overloaded");
      const passes = !isOverloaded && has(error, "durableObjectReset");
      const isUnreached = isOverloaded || has(error, "retryable");
      // The object's own code threw: it was reached, and nothing goes on without its word.
      if (has(error, "remote") && !passes && !isUnreached) throw error;
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
  new (has(cause, "overloaded") ? Overloaded : Unreachable)("A caller's object can't be reached.", { cause });

const patiently: Wait = (_, work) => work();

const flags = z.object({
  retryable: z.boolean().optional(),
  overloaded: z.boolean().optional(),
  remote: z.boolean().optional(),
  durableObjectReset: z.boolean().optional(),
});

function has(error: unknown, flag: keyof z.output<typeof flags>): boolean {
  return flags.safeParse(error).data?.[flag] === true;
}
