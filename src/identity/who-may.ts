import type { SignedIn } from "./sessions.ts";

/**
 * Whether somebody may decide that a principal's work goes on. The suspect's own key never suffices: whoever
 * holds it, a program too, can paste it into the sign-in page. So a person decides about their own work only
 * where they have signed in at the provider, and an admin about everybody else's; a service's work, and that
 * of callers without a name, is an admin's to decide.
 */
export function mayDecide(
  { user, interactive }: Pick<SignedIn, "user" | "interactive">,
  principal: string,
): boolean {
  const isOwn = user.userId === principal;
  if (isOwn) return interactive && user.kind === "user";
  return user.roles.includes("admin");
}
