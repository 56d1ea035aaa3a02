import type { DataClass, Labels } from "./labels.ts";

/** Stands for an id: a keyed hash, the same for the same id, from which the id can't be found (src/detection/tokens.ts). */
export type Token = string;

/**
 * Stand among a call's roles, beside those of the policy, which can have no such names. A rule speaks about a change of who may
 * call only if its `roles` name ADMINISTRATION; about a call of somebody whom the caller made, only if it is about people, or
 * about such changes (docs/detection.md).
 */
export const ADMINISTRATION = "(administration)";
export const SHARED = "(shared)";

/** Stands alone with SHARED among a call's roles, where a network counts it. Only rules whose `roles` name it speak. */
export const NETWORK = "(network)";

/** Ids that a call named or an answer held, as tokens, each once. */
export interface Touched {
  /** People. */
  subjects: readonly Token[];
  /** Products, orders, tickets. */
  objects: readonly Token[];
}

/** What is known of a call before it runs. Times are milliseconds since the epoch. */
export interface FlowCall extends Touched {
  /** Runs of 16 consecutive ids that hold a named subject or object: adjacency without the ids. */
  neighbourhoods: readonly Token[];
  at: number;
  /** The call's number among the caller's attempts: rising, never used twice. Decisions name the calls behind them by it. */
  attempt: number;
  tool: string;
  /** Equal for equal arguments of the same tool; absent where that is not known. */
  digest?: string | undefined;
  roles: readonly string[];
  classes: readonly DataClass[];
  kinds: Labels["kinds"];
  /** Reserved until the call is settled. */
  cost: { records: number; bytes: number };
  /** What the answer may hold that the arguments did not name: a person, and so many objects. */
  unnamed: { subject: boolean; objects: number };
}

/** What a call turned out to be, once it ran. */
export interface FlowResult extends Touched {
  at: number;
  records: number;
  bytes: number;
  /** It asked for something that does not exist, or failed: nobody's data is in the answer. */
  missed: boolean;
  /** Ids of things that were asked for and do not exist, each once; absent for none. */
  missing?: readonly Token[] | undefined;
  /** Its answer carried third-party text that reads like an instruction. */
  tainted: boolean;
  /** Its answer held a record that no honest caller comes upon. */
  canary: boolean;
}

/** What the caller's surroundings say at the time of a call. */
export interface FlowContext {
  /** Active products. */
  catalogSize: number;
}
