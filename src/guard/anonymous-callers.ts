import type { Principal } from "../identity/principal.ts";
import { limitOf } from "../policy/roles.ts";
import type { Policy } from "../policy/schema.ts";
import { IsolateBudget } from "./isolate-budget.ts";
import type { Target } from "./target.ts";

// There can be as many anonymous callers as network addresses, so cheap work of theirs is counted in the isolate and makes no
// object.

const discovery = new IsolateBudget();
const products = new IsolateBudget();
const EVERYONE = "everyone";

/** Whether an anonymous caller only connects or lists what there is. */
export const isAnonymousDiscovery = (principal: Principal, { kind }: Pick<Target, "kind">): boolean =>
  principal.kind === "anonymous" && kind === "discovery";

/** Counts a discovery call of an address. Returns the milliseconds to wait if it is one too many, else 0. */
export const takeDiscovery = (policy: Policy, { id, roles }: Principal, now: number): number =>
  discovery.take(id, limitOf(policy, roles, "discovery"), now);

/** Counts products answered to all anonymous callers together. */
export function noteProducts({ unauthenticated }: Policy, answered: number, now: number): void {
  products.charge(EVERYONE, unauthenticated.answered_products, now, answered);
}

/**
 * Returns the most records that an anonymous caller's page may hold; undefined while all of them together have had few
 * products.
 */
export function crowdedPage(
  { unauthenticated }: Policy,
  { kind }: Principal,
  now: number,
): number | undefined {
  const { answered_products: limit } = unauthenticated;
  return kind === "anonymous" && products.waitMs(EVERYONE, limit, now) > 0 ? limit.page : undefined;
}
