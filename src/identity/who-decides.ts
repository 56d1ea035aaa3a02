import { type Link, NEW_CALLERS, isYoung, withMakers, youngMakers } from "./lineage.ts";

/** A period, in milliseconds since the epoch, in which a user was an admin; `to` is null while it lasts. */
export interface AdminSpell {
  from: number;
  to: number | null;
}

/** All facts that the rule needs. */
export interface DecisionFacts {
  decider: {
    userId: string;
    kind: "user" | "service";
    isAdmin: boolean;
    /** Whether a person signed in at the sign-in provider, not with an access key. */
    isInteractive: boolean;
    /**
     * Links to the creators of the user and of the key that was used to sign in, and to the giver of the admin role.
     */
    made: readonly Link[];
  };
  /** The caller that was stopped. */
  principal: string;
  /** When the principal was an admin. */
  adminSpells: readonly AdminSpell[];
  /** Links above the principal and above the decider's creators; undefined if there are too many to judge. */
  links: readonly Link[] | undefined;
  /** Whether people can sign in at a provider. */
  hasSignOn: boolean;
}

/**
 * `yes`: may decide. `with-code`: may decide with the recovery code, which a program with a stolen key lacks. `no`: may
 * not.
 */
export type MayDecide = "yes" | "with-code" | "no";

/**
 * The one rule, for all pages, that decides who may let a stopped caller continue. People decide about their own work
 * if they signed in at the provider. Admins decide about other callers, unless one of the two recently created the
 * other, or the same account recently created both: one program could hold both keys. If people can sign in at a
 * provider, or the decision is about all new callers, a key alone is never enough.
 */
export function whoDecides(facts: DecisionFacts, now: number): MayDecide {
  const { decider, principal, hasSignOn } = facts;
  const isOwn = decider.userId === principal;
  if (isOwn && decider.isInteractive && decider.kind === "user") return "yes";
  if (!decider.isAdmin || (isOwn && decider.kind === "service")) return "no";
  // A stolen key may have made the new callers.
  const needsPerson = hasSignOn || principal === NEW_CALLERS;
  if (isOwn || (needsPerson && !decider.isInteractive) || mayBeOneActor(facts, now)) return "with-code";
  return "yes";
}

/** Returns whether one actor may control both: one created the other, or the same account created both. */
function mayBeOneActor({ decider, principal, adminSpells, links }: DecisionFacts, now: number): boolean {
  if (links === undefined) return true;
  const theirs = withMakers([principal], links, now);
  const makers = withMakers(youngMakers(decider.made, now), links, now);
  if (theirs.has(decider.userId) || [...makers].some((maker) => theirs.has(maker))) return true;
  // If the creator is unknown, the principal may be the creator if it was an admin at the time, whatever it is now.
  return decider.made.some(
    ({ maker, at }) =>
      maker === null &&
      isYoung(at, now) &&
      adminSpells.some(({ from, to }) => from <= at && (to === null || at <= to)),
  );
}
