import * as z from "zod";
import { timed } from "../telemetry/sink.ts";
import type {
  AdmissionAnswer,
  AdmissionRequest,
  Settlement,
  SettlementAnswer,
} from "../windows/admission.ts";
import type { NonceAnswer, Spent } from "../windows/nonces.ts";
import type { Windows } from "../windows/user-windows.ts";

/** Milliseconds after which a Durable Object counts as out of reach. */
const DEADLINE_MS = 3_000;

/** The caller's Durable Object could not be reached, or did not answer in time. */
export class Unreachable extends Error {}

/**
 * One caller's Durable Object, as one request asks it. The stub is kept: a new one for the settlement is a third of what
 * the settlement's call costs.
 */
export class CallerObject {
  readonly #windows: Windows;
  readonly #principal: string;
  #stub: ReturnType<Windows["getByName"]> | undefined;

  constructor(windows: Windows, principal: string) {
    this.#windows = windows;
    this.#principal = principal;
  }

  admit(request: AdmissionRequest): Promise<AdmissionAnswer> {
    return timed("admit", () => this.#reach<AdmissionAnswer>(async (object) => object.admit(request)));
  }

  /** `isAwaited`: a caller waits for it. Where none does there is no deadline either, as its timer is a tenth of what it costs. */
  settle(settlement: Settlement, isAwaited: boolean): Promise<SettlementAnswer> {
    return timed("settle", () =>
      this.#reach<SettlementAnswer>(
        async (object) => object.settle(settlement),
        isAwaited ? inTime : (call) => call(),
      ),
    );
  }

  consumeNonce(spent: Spent): Promise<NonceAnswer> {
    return timed("nonce", () => this.#reach<NonceAnswer>(async (object) => object.consumeNonce(spent)));
  }

  /**
   * Calls the object; once more, with a new stub, where the error says that it may pass. An overloaded one
   * is left alone: more calls would keep it so.
   * https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
   */
  async #reach<T>(
    call: (object: ReturnType<Windows["getByName"]>) => Promise<T>,
    attempt: (call: () => Promise<T>) => Promise<T> = inTime,
  ): Promise<T> {
    const ask = () => call((this.#stub ??= this.#windows.getByName(this.#principal)));
    try {
      return await attempt(ask);
    } catch (error) {
      this.#stub = undefined;
      // One that was reset between two calls has taken its old stub with it.
      const isOverloaded = has(error, "overloaded");
      const passes = !isOverloaded && (has(error, "retryable") || has(error, "durableObjectReset"));
      // The object's own code threw: it was reached, and nothing goes on without its word.
      if (has(error, "remote") && !passes && !isOverloaded) throw error;
      if (!passes) throw new Unreachable("", { cause: error });
    }
    try {
      return await attempt(ask);
    } catch (error) {
      this.#stub = undefined;
      throw new Unreachable("", { cause: error });
    }
  }
}

/** Throws where `call` has no answer in `deadlineMs`. */
export async function inTime<T>(call: () => Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([call(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const flags = z.object({
  retryable: z.boolean().optional(),
  overloaded: z.boolean().optional(),
  remote: z.boolean().optional(),
  durableObjectReset: z.boolean().optional(),
});

function has(error: unknown, flag: keyof z.output<typeof flags>): boolean {
  return flags.safeParse(error).data?.[flag] === true;
}
