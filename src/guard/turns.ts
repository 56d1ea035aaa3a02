import { type Deadline, GRACE_MS } from "../deadlines.ts";
import type { CallerSlots, Slot } from "./caller-slots.ts";
import type { Admission, GuardedCall } from "./guarded-call.ts";
import type { Target } from "./target.ts";

/**
 * Milliseconds after which a waiting call looks for its slot, which leaves the runtime time for other callers' requests. It
 * turns to them only when it has nothing else to do, and calls that begin at once would leave it no such moment.
 */
const PAUSE_MS = 5;

/** One call of the request, as far as its turn depends on it. */
interface Waiting {
  call: GuardedCall;
  /** The Worker's own checks have refused it: it is only recorded. */
  isRefused: boolean;
  /** What it counts in its rate window. */
  weight: number;
}

interface Entry extends Waiting {
  slot: Slot | undefined;
  isTaken: boolean;
  take: () => void;
  answer: PromiseWithResolvers<Admission>;
}

interface TurnsOptions {
  /** Of this isolate, which all requests share. */
  slots: CallerSlots;
  /** The name by which the caller has its slots. */
  caller: string;
  /** The request's. */
  deadline: Deadline;
  /** Decides calls with one message to the caller's object; gives the answers in the same order. */
  decide: (calls: readonly GuardedCall[]) => Promise<readonly Admission[]>;
}

/**
 * Lets the calls of one request run as their caller has slots for them. One message to the caller's object is under way at a
 * time, and the next takes along all that can be decided by then: calls that have a slot, calls that are refused anyway, and,
 * once the rate window is full, all the others.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #waiting = new Set<Entry>();
  /** By bucket, the smallest weight for which the rate window has no room. */
  readonly #full = new Map<Target["bucket"], number>();
  /** Slots that others have freed for this request. */
  readonly #given: Slot[] = [];
  /** Waits for slots that have not ended. */
  #asking = 0;
  #isDeciding = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Throws RequestOver if the request ends before the call has its turn. */
  async admit(waiting: Waiting): Promise<Admission> {
    const { promise: turn, resolve: take } = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<Admission>();
    const entry: Entry = { ...waiting, slot: undefined, isTaken: false, take, answer };
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
    return answer.promise;
  }

  #next(): void {
    if (this.#isDeciding) return;
    const group = this.#takeGroup();
    this.#askForSlots();
    if (group.length > 0) void this.#decide(group);
  }

  #takeGroup(): Entry[] {
    const group = [...this.#waiting].filter(
      (entry) => entry.isRefused || this.#isFullFor(entry) || this.#takeSlot(entry),
    );
    for (const entry of group) {
      this.#waiting.delete(entry);
      entry.isTaken = true;
      entry.take();
    }
    // Those of calls that needed none after all, or whose wait has ended.
    if (this.#waiting.size === 0) for (const slot of this.#given.splice(0)) slot.free();
    return group;
  }

  #takeSlot(entry: Entry): boolean {
    const { slots, caller } = this.#options;
    entry.slot = this.#given.pop() ?? slots.take(caller, this.#until(), Date.now());
    return entry.slot !== undefined;
  }

  #askForSlots(): void {
    const wanted = Math.min(this.#waiting.size - this.#given.length, this.#options.slots.atOnce);
    while (this.#asking < wanted) {
      this.#asking += 1;
      void this.#awaitSlot();
    }
  }

  /** Looks for the slot by a timer of its own: workerd forbids one request to wait for what another does. */
  async #awaitSlot(): Promise<void> {
    const { slots, caller } = this.#options;
    const place = slots.wait(caller, this.#until(), Date.now());
    while (place.slot === undefined && this.#waiting.size > 0) {
      // Far behind it looks seldom: sixty that look at once would be a flood of their own.
      const wait = PAUSE_MS * (1 + 2 * place.ahead);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    this.#asking -= 1;
    if (place.slot === undefined || this.#waiting.size === 0) place.leave();
    else {
      this.#given.push(place.slot);
      this.#next();
    }
  }

  /** When the request is surely over, in milliseconds since the epoch. */
  #until(): number {
    return Date.now() + this.#options.deadline.remaining() + GRACE_MS;
  }

  async #decide(group: readonly Entry[]): Promise<void> {
    this.#isDeciding = true;
    try {
      const admissions = await this.#options.decide(group.map(({ call }) => call));
      for (const [index, entry] of group.entries()) {
        const admission = admissions[index];
        if (admission === undefined) throw new Error("A call was left without an answer.");
        entry.answer.resolve(this.#note(entry, admission));
      }
    } catch (error) {
      for (const { answer, slot } of group) {
        answer.reject(error);
        slot?.free();
      }
    } finally {
      this.#isDeciding = false;
      this.#next();
    }
  }

  /** Counts a call that runs until it is settled, and keeps in mind whether the rate window is full. */
  #note({ call: { target }, weight, slot }: Entry, admission: Admission): Admission {
    if (!admission.ok) {
      slot?.free();
      const known = this.#full.get(target.bucket) ?? weight;
      if (admission.isWindowFull === true) this.#full.set(target.bucket, Math.min(known, weight));
      return admission;
    }
    this.#full.delete(target.bucket);
    const admitted = admission.value;
    return {
      ...admission,
      value: { ...admitted, settle: (result) => admitted.settle(result).finally(() => slot?.free()) },
    };
  }

  #isFullFor({ call: { target }, weight }: Waiting): boolean {
    const full = this.#full.get(target.bucket);
    return full !== undefined && weight >= full;
  }
}
