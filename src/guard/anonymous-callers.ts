import type { Principal } from "../identity/principal.ts";
import { limitOf } from "../policy/roles.ts";
import type { Policy } from "../policy/schema.ts";
import { IsolateBudget } from "./isolate-budget.ts";
import type { Target } from "./target.ts";

// Anonymous callers are as many as there are addresses, so what costs little is counted in the isolate: it makes no object.

const discovery = new IsolateBudget();
const products = new IsolateBudget();
const EVERYONE = "everyone";

/** Whether a call only begins a session or lists what there is, for a caller who has proved nothing. */
export const isAnonymousDiscovery = (principal: Principal, { kind }: Pick<Target, "kind">): boolean =>
  principal.kind === "anonymous" && kind === "discovery";

/** Counts a discovery call of an address; milliseconds to wait if it is one too many, else 0. */
export const takeDiscovery = (policy: Policy, { id, roles }: Principal, now: number): number =>
  discovery.take(id, limitOf(policy, roles, "discovery"), now);

/** Counts products answered to anonymous callers, whoever they are. */
export function noteProducts({ unauthenticated }: Policy, answered: number, now: number): void {
  products.charge(EVERYONE, unauthenticated.answered_products, now, answered);
}

/** The most records of an anonymous caller's page; undefined while all of them together have had few products. */
export function crowdedPage(
  { unauthenticated }: Policy,
  { kind }: Principal,
  now: number,
): number | undefined {
  const { answered_products: limit } = unauthenticated;
  return kind === "anonymous" && products.waitMs(EVERYONE, limit, now) > 0 ? limit.page : undefined;
}
