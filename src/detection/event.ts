import type { FlowDetail } from "./details.ts";
import type { DataClass, Labels } from "./labels.ts";
import type { WriteSize } from "./size.ts";

/**
 * A keyed hash that stands for an id: equal ids give equal tokens, and the id cannot be recovered
 * (src/detection/tokens.ts).
 */
export type Token = string;

/**
 * Markers among a call's roles; no role of the policy can have these names. A rule applies to changes of who may call
 * only if its `roles` name ADMINISTRATION. It applies to calls of a user whom the caller created only if it is of kind
 * `subjects` or names ADMINISTRATION (docs/detection.md).
 */
export const ADMINISTRATION = "(administration)";
export const SHARED = "(shared)";

/**
 * Marks a call that is counted for a whole network; SHARED is its only other role. Only rules whose `roles` name it
 * apply.
 */
export const NETWORK = "(network)";

/**
 * Marks a new caller's call that is counted for all of them together. Only rules of kind `subjects` whose `roles` name it
 * apply.
 */
export const NEWCOMERS = "(new)";

/** Ids that a call named or an answer held, as tokens, without duplicates. */
export interface Touched {
  /** People. */
  subjects: readonly Token[];
  /** Products, orders, tickets. */
  objects: readonly Token[];
}

/** A call before it runs. Times are milliseconds since the epoch. */
export interface FlowCall extends Touched {
  /** Runs of 16 consecutive ids that hold a named subject or object. They show adjacency without revealing the ids. */
  neighbourhoods: readonly Token[];
  at: number;
  /** The call's number among the caller's attempts: ascending, never reused. Decisions name calls by it. */
  attempt: number;
  tool: string;
  /** Equal for equal arguments of the same tool; absent if unknown. */
  digest?: string | undefined;
  roles: readonly string[];
  classes: readonly DataClass[];
  kinds: Labels["kinds"];
  /** Reserved until the call is settled. */
  cost: { records: number; bytes: number };
  /** How much a write would change; absent if the call plans nothing. */
  size?: WriteSize | undefined;
  /** Data that the answer may hold without being named in the arguments: one person, and this many objects. */
  unnamed: { subject: boolean; objects: number };
  /** Details by which the call looks for a person; absent if there are none. */
  details?: readonly FlowDetail[];
  /** The answer may explain the reading of the people in it; absent if it can't. */
  explains?: boolean;
}

/** A call's answer as the detector sees it. */
export interface FlowResult extends Touched {
  at: number;
  records: number;
  bytes: number;
  /** The call failed or asked for something that does not exist, so the answer holds nobody's data. */
  missed: boolean;
  /** Ids that were asked for and do not exist, without duplicates; absent if there are none. */
  missing?: readonly Token[] | undefined;
  /** Tokens of the details of people that the answer shows; absent if there are none. */
  shown?: readonly Token[] | undefined;
  /** People whose reading the answer explains, such as the customer of a ticket that is assigned to the caller. */
  explained?: readonly Token[] | undefined;
  /** The answer carried third-party text that reads like an instruction. */
  tainted: boolean;
  /** The answer held a canary, a record that no honest caller finds. */
  canary: boolean;
}

/** Facts beyond the caller that rules need at the time of a call. */
export interface FlowContext {
  /** Active products. */
  catalogSize: number;
}
