import type { Deadline } from "../deadlines.ts";
import type { Admission } from "./guarded-call.ts";
import { type CheckedCall, firstLocalRefusal } from "./local-checks.ts";
import type { Target } from "./target.ts";

/** Milliseconds between two turns. The runtime serves other requests only when this one leaves it nothing else to do. */
const PAUSE_MS = 5;
/** Milliseconds after which a call gives up its turn, although it has not ended: then it waits for a database far away. */
const TURN_MS = 40;
/** Milliseconds that a message to the caller's object may take. */
const MESSAGE_MS = 1_000;

interface WaitingCall extends CheckedCall {
  /** Its weight in the rate window. */
  weight: number;
}

interface Entry extends WaitingCall {
  isTaken: boolean;
  take: () => void;
  answer: PromiseWithResolvers<Admission>;
}

interface TurnsOptions {
  /** How many calls run at the same time. */
  atOnce: number;
  /** The request's deadline. */
  deadline: Deadline;
  /** Decides calls with one message to the caller's object; gives the answers in the same order. */
  decide: (calls: readonly CheckedCall[]) => Promise<readonly Admission[]>;
}

/**
 * Lets the calls of one request run a few at a time, so that a batch leaves the processor and the database to others. One
 * message to the caller's object is under way at a time. The next message takes all calls that can be decided by then: calls
 * that have a turn, calls that are refused anyway, and, once the rate window is full, all the others.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #waiting = new Set<Entry>();
  /** By bucket, the smallest weight for which the rate window has no room, and until when (milliseconds since the epoch). */
  readonly #full = new Map<Target["bucket"], { weight: number; until: number }>();
  #running = 0;
  #isDeciding = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Waits for the call's turn and decides it. Throws RequestOver if the request ends first. */
  async decideInTurn(waiting: WaitingCall): Promise<Admission> {
    const { promise: turn, resolve: take } = Promise.withResolvers<void>();
    const entry: Entry = { ...waiting, isTaken: false, take, answer: Promise.withResolvers() };
    this.#waiting.add(entry);
    this.#next();
    if (!entry.isTaken) {
      try {
        await this.#options.deadline.run(() => turn);
      } catch (error) {
        // A call that is being decided must be settled, so wait for its answer.
        if (this.#waiting.delete(entry)) throw error;
      }
    }
    return entry.answer.promise;
  }

  #next(): void {
    if (this.#isDeciding) return;
    const group = this.#takeGroup();
    if (group.length > 0) void this.#decide(group);
  }

  #takeGroup(): Entry[] {
    let free = this.#options.atOnce - this.#running;
    const group = [...this.#waiting].filter(
      (entry) => firstLocalRefusal(entry.local) !== undefined || this.#isFullFor(entry) || free-- > 0,
    );
    for (const entry of group) {
      this.#waiting.delete(entry);
      entry.isTaken = true;
      entry.take();
    }
    return group;
  }

  async #decide(group: readonly Entry[]): Promise<void> {
    this.#isDeciding = true;
    try {
      const admissions = await this.#options.decide(group);
      for (const [index, entry] of group.entries()) {
        const admission = admissions[index];
        if (admission === undefined) throw new Error("A call was left without an answer.");
        entry.answer.resolve(this.#note(entry, admission));
      }
    } catch (error) {
      for (const { answer } of group) answer.reject(error);
    } finally {
      this.#isDeciding = false;
      this.#next();
    }
  }

  /** Counts a call that runs, and remembers whether the rate window is full. */
  #note({ call: { target }, weight }: WaitingCall, admission: Admission): Admission {
    if (!admission.ok) {
      if (admission.isWindowFull !== true) return admission;
      const known = this.#full.get(target.bucket)?.weight ?? weight;
      const until = Date.now() + (admission.refusal.retryAfterMs ?? 0);
      this.#full.set(target.bucket, { weight: Math.min(known, weight), until });
      return admission;
    }
    this.#full.delete(target.bucket);
    const admitted = admission.value;
    const end = this.#beginTurn();
    return {
      ...admission,
      value: { ...admitted, settle: (result) => admitted.settle(result).finally(end) },
    };
  }

  /** Counts a turn; returns what ends it, once. */
  #beginTurn(): () => void {
    this.#running += 1;
    let hasEnded = false;
    const end = (): void => {
      if (hasEnded) return;
      hasEnded = true;
      clearTimeout(timer);
      this.#running -= 1;
      if (this.#waiting.size > 0) setTimeout(() => this.#next(), PAUSE_MS);
    };
    const timer = setTimeout(end, TURN_MS);
    return end;
  }

  #isFullFor({ call: { target }, weight }: WaitingCall): boolean {
    const full = this.#full.get(target.bucket);
    // While the next message is under way, the window may become free: then the calls must take turns again.
    return full !== undefined && weight >= full.weight && Date.now() + MESSAGE_MS < full.until;
  }
}
