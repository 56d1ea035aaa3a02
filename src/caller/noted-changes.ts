import type { CallerDecision, Change } from "./audit/records.ts";
import type { Decider } from "./detection/decisions.ts";

// Messages that people's decisions and changes to an identity send to a caller's object.

/** A decision that an admin made outside the object: about the caller, or about an incident that only D1 still has. */
export interface ElsewhereDecided extends Decider {
  principal: string;
  decision: CallerDecision | "closed";
  incident?: string | null;
}

/** A change to a caller's identity: its roles, keys or clients. */
export type IdentityChanged = Change & { principal: string; noteId?: string };

/** A release from one rule that stops the caller, or from all of them (null). */
export type Released = Decider & { rule: string | null };
