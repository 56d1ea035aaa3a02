import { refuse } from "../refusal.ts";

// The same for an id that does not exist and for one whose row is not the caller's to see, so that nobody
// learns by asking which ids exist.

export const unknownCustomer = refuse("not_found", "There is no such customer.");
export const unknownOrder = refuse("not_found", "There is no such order.");
export const unknownTicket = refuse("not_found", "There is no such ticket.");

/** What is only for those who see everybody's rows. */
export const staffOnly = refuse("permission_denied", "The caller may not use this.");
