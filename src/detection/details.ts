import type { Token } from "./event.ts";

/** Details by which a person can be found without an id. An email address is the one that stolen lists hold. */
export const DETAIL_KINDS = ["email", "phone", "name_postcode", "order_name"] as const;
export type DetailKind = (typeof DETAIL_KINDS)[number];

/**
 * A detail that a call looks somebody up by, as tokens. It explains the look-up only if no token of it was in an answer
 * that the caller had received.
 */
export type FlowDetail = {
  by: DetailKind;
  tokens: readonly Token[];
};
