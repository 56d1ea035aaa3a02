import type { Windows } from "../windows/user-windows.ts";
import type { Change } from "../windows/records.ts";

/** What of a change is said where it is not about roles, or not about a key, is nothing. */
export type Noted = Pick<Change, "change" | "by"> & Partial<Change>;

/** Writes into a user's audit what is about to change of them. Awaited before the change: one that is in no audit must not happen. */
export const noteChange = (
  windows: Windows,
  principal: string,
  { roles = null, key = null, ...change }: Noted,
): Promise<void> => windows.getByName(principal).noteIdentity({ principal, roles, key, ...change });
