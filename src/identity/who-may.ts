import type { AppContext } from "../app-types.ts";
import { signOnSettings } from "../env.ts";
import { adminSpells, directLinks, linksAbove } from "./lineage-rows.ts";
import { youngMakers } from "./lineage.ts";
import { hasRecoveryCode, isRecoveryCode } from "./recovery-code-rows.ts";
import type { SignedIn } from "./sessions.ts";
import { type MayDecide, whoDecides } from "./who-decides.ts";

/** The signed-in person who wants to decide. */
type Decider = Pick<SignedIn, "user" | "interactive" | "credential">;

/** Reads the facts for the rule (src/identity/who-decides.ts) and returns its answer. */
export async function mayDecide(
  db: D1Database,
  { user, interactive, credential }: Decider,
  principal: string,
  { hasSignOn, now }: { hasSignOn: boolean; now: number },
): Promise<MayDecide> {
  const keyId = "keyId" in credential ? credential.keyId : null;
  const [made, spells] = await Promise.all([
    directLinks(db, user.userId, keyId, now),
    adminSpells(db, principal),
  ]);
  const links = await linksAbove(db, [principal, ...youngMakers(made, now)], "all", now);
  const facts = {
    decider: {
      userId: user.userId,
      kind: user.kind,
      isAdmin: user.roles.includes("admin"),
      isInteractive: interactive,
      made,
    },
    principal,
    adminSpells: spells,
    links,
    hasSignOn,
  };
  return whoDecides(facts, now);
}

/** Returns the rule's answer for a page of this server. Without a stored recovery code, nobody can decide with one. */
export async function mayDecideHere(c: AppContext, decider: Decider, principal: string): Promise<MayDecide> {
  const hasSignOn = signOnSettings(c.var.settings) !== undefined;
  const may = await mayDecide(c.env.DB, decider, principal, { hasSignOn, now: Date.now() });
  return may === "with-code" && !(await hasRecoveryCode(c.env.DB)) ? "no" : may;
}

/** The ground for a decision: who the person is, or the recovery code; undefined if they may not decide. */
export type DecidedBy = "lineage" | "recovery_code" | undefined;

/** Returns whether somebody may decide with what they sent; `code` is the recovery code, or empty. */
export async function decidesWith(
  c: AppContext,
  decider: Decider,
  principal: string,
  code: string,
): Promise<DecidedBy> {
  const may = await mayDecideHere(c, decider, principal);
  if (may === "yes") return "lineage";
  return may === "with-code" && (await isRecoveryCode(c.env.DB, code)) ? "recovery_code" : undefined;
}

/** Returns the note for the audit, which says if the recovery code was needed; null if there is none. */
export const noteOf = (note: string, by: DecidedBy): string | null =>
  (by === "recovery_code" ? `With the recovery code. ${note}`.trim() : note) || null;
