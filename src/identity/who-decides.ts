import { type Link, isYoung, withMakers, youngMakers } from "./lineage.ts";

/** A stretch of time, in milliseconds since the epoch, in which a user was an admin; `to` is null while it lasts. */
export interface AdminSpell {
  from: number;
  to: number | null;
}

/** All that the rule looks at. */
export interface DecisionFacts {
  decider: {
    userId: string;
    kind: "user" | "service";
    isAdmin: boolean;
    /** A person signed in at the sign-in provider, not with an access key. */
    isInteractive: boolean;
    /** Who made the user, the key that was signed in with, and gave the role admin. */
    made: readonly Link[];
  };
  /** The caller that was stopped. */
  principal: string;
  /** When the principal was an admin. */
  adminSpells: readonly AdminSpell[];
  /** Links above the principal and above the decider's makers; undefined where they are more than can be judged. */
  links: readonly Link[] | undefined;
  /** Whether people can sign in at a provider. */
  hasSignOn: boolean;
}

/**
 * `yes`: may decide. `with-code`: may decide with the recovery code, which no program with a stolen key has. `no`: may not.
 */
export type MayDecide = "yes" | "with-code" | "no";

/**
 * Whether somebody may decide that a stopped caller's work goes on: the one rule, for all pages. People decide about their
 * own work if they signed in at the provider; admins about everybody else's, unless one of both made the other lately, or
 * somebody lately made both: one program could hold both keys. Where people can sign in at a provider, a key never suffices.
 */
export function whoDecides(facts: DecisionFacts, now: number): MayDecide {
  const { decider, principal, hasSignOn } = facts;
  const isOwn = decider.userId === principal;
  if (isOwn && decider.isInteractive && decider.kind === "user") return "yes";
  if (!decider.isAdmin || (isOwn && decider.kind === "service")) return "no";
  if (isOwn || (hasSignOn && !decider.isInteractive) || areOfOneHand(facts, now)) return "with-code";
  return "yes";
}

function areOfOneHand({ decider, principal, adminSpells, links }: DecisionFacts, now: number): boolean {
  if (links === undefined) return true;
  const theirs = withMakers([principal], links, now);
  const makers = withMakers(youngMakers(decider.made, now), links, now);
  if (theirs.has(decider.userId) || [...makers].some((maker) => theirs.has(maker))) return true;
  // If nobody knows who made it, the principal may have, if it was an admin at the time; whatever it is now.
  return decider.made.some(
    ({ maker, at }) =>
      maker === null &&
      isYoung(at, now) &&
      adminSpells.some(({ from, to }) => from <= at && (to === null || at <= to)),
  );
}
