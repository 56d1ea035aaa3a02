// Lineage as a graph of accounts: who created whom. Everything here is pure: `now` is passed in, in milliseconds since
// the epoch.

/**
 * Milliseconds for which an account or key counts as its creator's. After that, somebody would have noticed an unknown
 * one.
 */
export const YOUNG_MS = 7 * 24 * 60 * 60 * 1000;

/** Accounts that a lineage may have. A larger one is not judged, and what depends on it is refused. */
export const LINEAGE_MAX = 64;

/** Values of `created_by` that are not user ids. No user id begins with @, and none is `sign-on`. */
export const BOOTSTRAP = "@bootstrap";
export const SIGN_ON = "sign-on";

/** The principal under which all new callers are counted together. */
export const NEW_CALLERS = "@new-callers";

/** Returns whether a creator is an account, which has a lineage and a budget of its own. */
export const isAccount = (maker: string | null): maker is string =>
  maker !== null && maker !== BOOTSTRAP && maker !== SIGN_ON;

/** `maker` created the account `made`, or a key of it, at `at`. Null: it was created before creators were recorded. */
export interface Link {
  made: string;
  maker: string | null;
  at: number;
}

export const isYoung = (at: number, now: number): boolean => now - at <= YOUNG_MS;

/** Returns the known creators of the young links. */
export const youngMakers = (links: readonly Link[], now: number): string[] =>
  links.flatMap(({ maker, at }) => (maker !== null && isYoung(at, now) ? [maker] : []));

/**
 * Returns the accounts, their recent creators, the creators of those, and so on. Accounts may have created each other.
 */
export function withMakers(accounts: readonly string[], links: readonly Link[], now: number): Set<string> {
  const reached = new Set(accounts);
  // Iterating over a Set visits items added meanwhile, and adds nothing twice.
  for (const account of reached) {
    const own = links.filter(({ made }) => made === account);
    for (const maker of youngMakers(own, now)) reached.add(maker);
  }
  return reached;
}

/**
 * Returns the accounts at the top of a lineage, which no account outside it created recently. If accounts created each
 * other, the first by id stands for all.
 */
export function rootsOf(accounts: readonly string[], links: readonly Link[], now: number): string[] {
  const above = new Map<string, Set<string>>();
  for (const account of withMakers(accounts, links, now))
    above.set(account, withMakers([account], links, now));
  const roots = new Set<string>();
  for (const [account, makers] of above) {
    const isTop = [...makers].every((maker) => above.get(maker)?.has(account) === true);
    const [first = account] = [...makers].toSorted();
    if (isTop) roots.add(first);
  }
  return [...roots];
}
