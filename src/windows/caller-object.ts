import * as z from "zod";
import { type Deadlines, within } from "../deadlines.ts";
import { timed } from "../telemetry/sink.ts";
import type { AdmissionAnswer, AdmissionRequest, Settlement, SettlementAnswer } from "./admission.ts";
import type { NonceAnswer, Spent } from "./nonces.ts";
import type { ElsewhereDecided, IdentityChanged, Windows } from "./user-windows.ts";

/** Milliseconds after which a Durable Object counts as out of reach. */
const DEADLINE_MS = 3_000;

type Stub = ReturnType<Windows["getByName"]>;
type Wait = <T>(ms: number, work: () => Promise<T>) => Promise<T>;

/** A caller's Durable Object could not be reached, or did not answer in time. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

/**
 * One caller's Durable Object, as one request asks it. The stub is kept: a new one for the settlement is a third of what
 * the settlement's call costs.
 */
export class CallerObject {
  readonly #windows: Windows;
  readonly #principal: string;
  #stub: Stub | undefined;

  constructor(windows: Windows, principal: string) {
    this.#windows = windows;
    this.#principal = principal;
  }

  /** `deadlines`: those of the call, where it has some. */
  admit(request: AdmissionRequest, deadlines?: Deadlines): Promise<AdmissionAnswer> {
    return timed("admit", () =>
      this.#reach<AdmissionAnswer>(async (object) => object.admit(request), waitOf(deadlines)),
    );
  }

  /** A caller waits for it, so long as `deadlines` let it. */
  settle(settlement: Settlement, deadlines?: Deadlines): Promise<SettlementAnswer> {
    return timed("settle", () =>
      this.#reach<SettlementAnswer>(async (object) => object.settle(settlement), waitOf(deadlines)),
    );
  }

  /** Nobody waits for it, so that it may take as long as it takes. */
  settleLater(settlement: Settlement): Promise<SettlementAnswer> {
    return timed("settle", () =>
      this.#reach<SettlementAnswer>(
        async (object) => object.settle(settlement),
        (_, work) => work(),
      ),
    );
  }

  consumeNonce(spent: Spent): Promise<NonceAnswer> {
    return timed("nonce", () => this.#reach<NonceAnswer>(async (object) => object.consumeNonce(spent)));
  }

  noteChange(decided: Omit<ElsewhereDecided, "principal">): Promise<void> {
    const principal = this.#principal;
    return this.#reach<void>(async (object) => object.noteChange({ principal, ...decided }));
  }

  noteIdentity(changed: Omit<IdentityChanged, "principal">): Promise<void> {
    const principal = this.#principal;
    return this.#reach<void>(async (object) => object.noteIdentity({ principal, ...changed }));
  }

  /**
   * Calls the object; once more, with a new stub, where the error says that it may pass. An overloaded one
   * is left alone: more calls would keep it so.
   * https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
   */
  async #reach<T>(call: (object: Stub) => Promise<T>, wait: Wait = within): Promise<T> {
    const ask = () => call((this.#stub ??= this.#windows.getByName(this.#principal)));
    try {
      return await wait(DEADLINE_MS, ask);
    } catch (error) {
      this.#stub = undefined;
      // One that was reset between two calls has taken its old stub with it.
      const isOverloaded = has(error, "overloaded");
      const passes = !isOverloaded && (has(error, "retryable") || has(error, "durableObjectReset"));
      // The object's own code threw: it was reached, and nothing goes on without its word.
      if (has(error, "remote") && !passes && !isOverloaded) throw error;
      if (!passes) throw new Unreachable("A caller's object can't be reached.", { cause: error });
    }
    try {
      return await wait(DEADLINE_MS, ask);
    } catch (error) {
      this.#stub = undefined;
      throw new Unreachable("A caller's object can't be reached.", { cause: error });
    }
  }
}

const waitOf = (deadlines: Deadlines | undefined): Wait =>
  deadlines === undefined ? within : (ms, work) => deadlines.within(ms, work);

const flags = z.object({
  retryable: z.boolean().optional(),
  overloaded: z.boolean().optional(),
  remote: z.boolean().optional(),
  durableObjectReset: z.boolean().optional(),
});

function has(error: unknown, flag: keyof z.output<typeof flags>): boolean {
  return flags.safeParse(error).data?.[flag] === true;
}
