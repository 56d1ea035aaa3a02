import { CallerClient, type NoteOrder } from "../caller/caller-client.ts";
import type { CallerNamespace } from "../caller/caller-do.ts";
import type { Change } from "../caller/audit/records.ts";

/** Fields that do not concern the change are left out. */
export type Noted = Pick<Change, "change" | "by"> & Partial<Change>;

/**
 * Records a change of a user in that user's audit. A change that grants something is recorded before it is made,
 * because nothing may happen that no audit shows. A change that removes something is made first, because a thief who
 * floods the object must not keep a key that way.
 */
export const noteIdentity = (
  callers: CallerNamespace,
  principal: string,
  { roles = null, key = null, customer = null, ...change }: Noted,
  when: NoteOrder,
): Promise<void> =>
  new CallerClient(callers, principal).noteIdentity({ roles, key, customer, ...change }, when);

/**
 * Makes every isolate read a user's identity again. It must be called after a user, a credential or a grant was changed, and
 * before the change is acknowledged. Throws Unreachable if the user's object does not answer; then the change takes effect
 * within a minute (src/identity/kept-identities.ts).
 */
export const forgetIdentity = (callers: CallerNamespace, principal: string): Promise<void> =>
  new CallerClient(callers, principal).forgetIdentity();

/** Records a change that takes something away and has been made, and makes every isolate read the identity again. */
export async function noteRemoval(callers: CallerNamespace, principal: string, change: Noted): Promise<void> {
  await Promise.all([noteIdentity(callers, principal, change, "after"), forgetIdentity(callers, principal)]);
}
