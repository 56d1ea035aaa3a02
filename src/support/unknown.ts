import { refuse } from "../refusal.ts";

// The same refusal for an id that does not exist and for a row that the caller may not see, so that nobody can probe
// which ids exist.

export const unknownCustomer = refuse("not_found", "There is no such customer.");
export const unknownOrder = refuse("not_found", "There is no such order.");
export const unknownTicket = refuse("not_found", "There is no such ticket.");

/** For things that only callers who see every row may use. */
export const staffOnly = refuse("permission_denied", "The caller may not use this.");
