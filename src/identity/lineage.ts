// Who made whom, as a graph over accounts. Everything here is pure: `now` is passed in, in milliseconds since the epoch.

/** Milliseconds for which an account or key counts as its maker's: by then somebody has noticed one that nobody knows. */
export const YOUNG_MS = 7 * 24 * 60 * 60 * 1000;

/** Accounts that a lineage may have; past that it is not judged, and what depends on it is refused. */
export const LINEAGE_MAX = 64;

/** What `created_by` holds beside the ids of users. No user's id begins with @, and none is `sign-on`. */
export const BOOTSTRAP = "@bootstrap";
export const SIGN_ON = "sign-on";

/** Whether a maker is an account, which has a lineage and a budget of its own. */
export const isAccount = (maker: string | null): maker is string =>
  maker !== null && maker !== BOOTSTRAP && maker !== SIGN_ON;

/** `maker` made the account `made`, or a key of it, at `at`. Null: it was made before makers were recorded. */
export interface Link {
  made: string;
  maker: string | null;
  at: number;
}

export const isYoung = (at: number, now: number): boolean => now - at <= YOUNG_MS;

/** Makers of the links that are young, without unknown ones. */
export const youngMakers = (links: readonly Link[], now: number): string[] =>
  links.flatMap(({ maker, at }) => (maker !== null && isYoung(at, now) ? [maker] : []));

/** The accounts, whoever made them lately, their makers, and so on. Accounts may have made each other. */
export function withMakers(accounts: readonly string[], links: readonly Link[], now: number): Set<string> {
  const reached = new Set(accounts);
  // A Set iterates over what is added meanwhile, and adds nothing twice.
  for (const account of reached) {
    const own = links.filter(({ made }) => made === account);
    for (const maker of youngMakers(own, now)) reached.add(maker);
  }
  return reached;
}

/**
 * Those at the top of the accounts' lineage, whom nobody outside it made lately. Of accounts that made each other the first
 * by id stands for all.
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
