import { CallerClient, type When } from "../caller/caller-client.ts";
import type { CallerNamespace } from "../caller/caller-do.ts";
import type { Change } from "../caller/audit/records.ts";

/** Left out: what the change is not about. */
export type Noted = Pick<Change, "change" | "by"> & Partial<Change>;

/**
 * Writes a change of a user into their audit. What gives somebody more is noted before it is done: what is in no audit must
 * not happen. What takes away is done first, as whoever floods their own object must not keep a key by it.
 */
export const noteIdentity = (
  callers: CallerNamespace,
  principal: string,
  { roles = null, key = null, customer = null, ...change }: Noted,
  when: When,
): Promise<void> =>
  new CallerClient(callers, principal).noteIdentity({ roles, key, customer, ...change }, when);
