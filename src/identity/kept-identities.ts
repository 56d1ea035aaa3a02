import { remember } from "../remember.ts";

// An isolate keeps what a credential led to, so that a known caller's calls do not wait for the database. This is safe
// because the caller's object holds a version, which every change of the identity raises before the change is
// acknowledged (src/identity/changes.ts), and because the object refuses calls made with a former version.
//
// The version must be known before the identity is read: then a change that the reading missed has raised it since. So
// the first call of a caller learns the version, the second one reads the identity under it, and later ones use it.

/**
 * Milliseconds after which an identity is read again whatever its version: a database may have been restored or changed
 * by hand, and the object may be out of reach.
 */
const KEPT_MS = 60_000;

/** An identity as it was read. Times are milliseconds since the epoch. */
export interface Reading<Identity> {
  identity: Identity;
  readAt: number;
  /** When its credential expires; Infinity if it does not. */
  expiresAt: number;
  /** Whether it may be kept. */
  isKeepable: boolean;
}

interface Entry<Identity> {
  /** The version that the caller's object held last; undefined if it holds none. */
  version: number | undefined;
  /** The identity that was read under that version. */
  reading: Reading<Identity> | undefined;
}

/** The identities that this isolate keeps, by the hash of their credential. */
export class KeptIdentities<Identity> {
  readonly #entries = new Map<string, Entry<Identity>>();

  /** Returns the identity that is kept for a credential, with a claim that the caller's object must confirm. */
  find(credential: string, now: number): { identity: Identity; claim: IdentityClaim } | undefined {
    const { version, reading } = this.#entries.get(credential) ?? {};
    if (version === undefined || reading === undefined) return undefined;
    const { identity, readAt, expiresAt } = reading;
    // The clock may have been set back.
    if (now < readAt || now >= readAt + KEPT_MS || now >= expiresAt) return undefined;
    const hear = (held: number | undefined) => {
      if (held !== version) remember(this.#entries, credential, { version: held, reading: undefined });
    };
    return { identity, claim: new IdentityClaim(version, hear) };
  }

  /** Reads the identity of a credential. It is kept once the caller's object has confirmed the version it was read under. */
  async read(
    credential: string,
    read: () => Promise<Reading<Identity>>,
  ): Promise<{ identity: Identity; claim: IdentityClaim }> {
    const before = this.#entries.get(credential)?.version;
    const reading = await read();
    const hear = (held: number | undefined) => {
      const isCurrent = reading.isKeepable && held !== undefined && held === before;
      remember(this.#entries, credential, { version: held, reading: isCurrent ? reading : undefined });
    };
    return { identity: reading.identity, claim: new IdentityClaim(undefined, hear) };
  }
}

/** The claim of one request that its identity is the present one. */
export class IdentityClaim {
  readonly #version: number | undefined;
  readonly #hear: (held: number | undefined) => void;
  readonly #spoken = Promise.withResolvers<void>();
  #verdict: "current" | "stale" | undefined;

  /** `version` is that of a kept identity; undefined if it was read for this request, and so is believed. */
  constructor(version: number | undefined, hear: (held: number | undefined) => void) {
    this.#version = version;
    this.#hear = hear;
  }

  /** The version that the caller's object must hold; undefined if it need not be asked, or has confirmed it. */
  get version(): number | undefined {
    return this.#verdict === "current" ? undefined : this.#version;
  }

  /** Whether the identity is a former one. Nothing may be done for the request then. */
  get isStale(): boolean {
    return this.#verdict === "stale";
  }

  /** Whether the request's answer may be given: the object has confirmed the identity, or it was read for this request. */
  get isBelieved(): boolean {
    return this.#version === undefined || this.#verdict === "current";
  }

  /** Resolves when the caller's object has spoken, or will not speak. */
  get spoken(): Promise<void> {
    return this.#spoken.promise;
  }

  /** Hears the version that the caller's object holds. */
  hear(held: number | undefined): void {
    if (this.#verdict !== undefined) return;
    this.#verdict = this.#version === undefined || this.#version === held ? "current" : "stale";
    this.#hear(held);
    this.#spoken.resolve();
  }

  /** Hears that the object can't be reached: a kept identity is at most a minute old, and is believed. */
  hearUnreachable(): void {
    this.#verdict ??= "current";
    this.#spoken.resolve();
  }

  /** Hears that there was another error: the identity stays unconfirmed. */
  hearNothing(): void {
    this.#spoken.resolve();
  }
}
