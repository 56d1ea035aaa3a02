import type { AppContext } from "../app-types.ts";
import { runBatch } from "../database/run-batch.ts";
import { vouchFor } from "../identity/administration.ts";
import { isAccount, isYoung } from "../identity/lineage.ts";
import type { SignedIn } from "../identity/sessions.ts";
import { type DecidedBy, decidesWith } from "../identity/who-may.ts";
import type { Decider } from "../caller/detection/decisions.ts";
import { CallerClient } from "../caller/caller-client.ts";
import type { Caller } from "./caller-list.ts";

/** Whether an account still shares its creator's budget. */
export const isShared = ({ created_by, created_at, apart }: Caller, now: number): boolean =>
  isAccount(created_by) && created_at !== null && isYoung(created_at, now) && apart === null;

/**
 * How an admin may vouch for an account: by the same rules as for deciding its incidents, and never for their own. Returns
 * undefined if they may not, or if the account shares no budget. `code` is the recovery code, or empty.
 */
export async function vouchesWith(
  c: AppContext,
  admin: SignedIn,
  caller: Caller,
  code: string,
): Promise<DecidedBy> {
  if (caller.id === admin.user.userId || !isShared(caller, Date.now())) return undefined;
  return decidesWith(c, admin, caller.id, code);
}

/** Gives an account a budget of its own. It is recorded first, so that nothing is granted unrecorded. */
export async function vouch(env: Env, user: string, decider: Decider): Promise<void> {
  const object = new CallerClient(env.USER_WINDOWS, user);
  await object.noteChange({ ...decider, decision: "vouched" }, "before");
  await runBatch(env.DB, vouchFor(user));
  await object.forgetIdentity();
}
