import type { Deadline } from "../deadlines.ts";
import type { Admission, Asked } from "./guard.ts";
import type { Target } from "./target.ts";

/** One call of the request, as far as its turn depends on it. */
interface Waiting {
  asked: Asked;
  /** The Worker's own checks have refused it: it is only recorded. */
  isRefused: boolean;
  /** What it counts in its rate window. */
  weight: number;
}

interface Entry extends Waiting {
  isTaken: boolean;
  take: () => void;
  answer: PromiseWithResolvers<Admission>;
}

interface TurnsOptions {
  /** Calls that run at the same time. */
  atOnce: number;
  /** The request's. */
  deadline: Deadline;
  /** Decides calls with one message to the caller's object; gives the answers in the same order. */
  decide: (asked: readonly Asked[]) => Promise<readonly Admission[]>;
}

/**
 * Lets the calls of one request run a few at a time, so that a batch can't keep the database from others. One message to the
 * caller's object is under way at a time, and the next takes along all that can be decided by then: calls that have a turn,
 * calls that are refused anyway, and, once the rate window is full, all the others.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #waiting = new Set<Entry>();
  /** By bucket, the smallest weight for which the rate window has no room. */
  readonly #full = new Map<Target["bucket"], number>();
  #running = 0;
  #isDeciding = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Throws RequestOver if the request ends before the call has its turn. */
  async admit(call: Waiting): Promise<Admission> {
    const { promise: turn, resolve: take } = Promise.withResolvers<void>();
    const entry: Entry = { ...call, isTaken: false, take, answer: Promise.withResolvers() };
    this.#waiting.add(entry);
    this.#next();
    if (!entry.isTaken) {
      try {
        await this.#options.deadline.run(() => turn);
      } catch (error) {
        // A call that is being decided must be settled, so its answer is waited for.
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
      (entry) => entry.isRefused || this.#isFullFor(entry) || free-- > 0,
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
      const admissions = await this.#options.decide(group.map(({ asked }) => asked));
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

  /** Counts a call that runs until it is settled, and keeps in mind whether the rate window is full. */
  #note({ asked: { target }, weight }: Waiting, admission: Admission): Admission {
    if (!admission.ok) {
      const known = this.#full.get(target.bucket) ?? weight;
      if (admission.isWindowFull === true) this.#full.set(target.bucket, Math.min(known, weight));
      return admission;
    }
    this.#full.delete(target.bucket);
    this.#running += 1;
    const admitted = admission.value;
    return {
      ...admission,
      value: { ...admitted, settle: (ran) => admitted.settle(ran).finally(() => this.#end()) },
    };
  }

  #end(): void {
    this.#running -= 1;
    this.#next();
  }

  #isFullFor({ asked: { target }, weight }: Waiting): boolean {
    const full = this.#full.get(target.bucket);
    return full !== undefined && weight >= full;
  }
}
