import type { Policy } from "../../policy/schema.ts";
import { IsolateBudget, RecentNames, limitOfNetwork } from "../../guard/isolate-budget.ts";

/** `unasked`: nobody looked it up after all. */
export type Found = "good" | "bad" | "unasked";

/** Where a request comes from, as names. */
interface Origin {
  id: string;
  network?: string | undefined;
}

interface Lookup {
  /** Milliseconds to wait; 0 if the credential may be looked up. */
  waitMs: number;
  /** Once, when the look-up has ended. */
  end: (found: Found, now: number) => void;
}

/**
 * Bounds the look-ups of credentials that nobody holds, in one isolate. An address and its network pay once for each of them, and each pays
 * for its own repetitions, so that one client with an expired key does not use up the budget of its office. A credential that
 * was good when this isolate last saw it is never refused here.
 */
export class LookupBudget {
  readonly #good = new RecentNames();
  readonly #failures = new IsolateBudget();
  /** Credentials of which the first look-up has not ended: a client may send many requests at once. */
  readonly #inFlight = new Set<string>();

  /** `credential` is a hash; `now` is in milliseconds since the epoch. */
  begin(credential: string, { id, network }: Origin, { unauthenticated }: Policy, now: number): Lookup {
    if (this.#good.has(credential))
      return {
        waitMs: 0,
        end: (found) => {
          if (found === "bad") this.#good.delete(credential);
          // The name moves to the end of the list: a credential in use is forgotten last.
          if (found === "good") this.#good.add(credential);
        },
      };
    const { failed_credentials: byAddress, repeated_credential: repeated } = unauthenticated;
    const places = [
      { name: id, limit: byAddress },
      ...(network === undefined ? [] : [{ name: network, limit: limitOfNetwork(byAddress) }]),
    ];
    const waits = places.map(({ name, limit }) => this.#failures.waitMs(name, limit, now));
    const waitMs = Math.max(...waits, this.#failures.waitMs(credential, repeated, now));
    if (waitMs > 0) return { waitMs, end: () => {} };
    // Counted before the look-up, so that requests sent at once don't all see room for one more.
    const isNew = this.#failures.isIdle(credential, repeated, now) && !this.#inFlight.has(credential);
    if (isNew) {
      for (const { name, limit } of places) this.#failures.charge(name, limit, now);
      this.#inFlight.add(credential);
    }
    return {
      waitMs,
      end: (found, ended) => {
        if (isNew) this.#inFlight.delete(credential);
        if (found === "bad") return this.#failures.charge(credential, repeated, ended);
        if (found === "good") this.#good.add(credential);
        if (isNew) for (const { name, limit } of places) this.#failures.refund(name, limit, ended);
      },
    };
  }
}
