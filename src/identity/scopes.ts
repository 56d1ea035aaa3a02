import { bundledPolicy } from "../policy/bundled.ts";

/** What a token can be granted, and what a person reads about it on the consent page. */
export const SCOPES = {
  "catalog:read": "Search the catalog, read products and stock",
  "inventory:write": "Change stock, which no tool of this server does",
  "support:read": "Read customers, orders and tickets; as a customer, your own",
  "support:write": "Close tickets",
  admin: "Administer this server",
} as const;
export type Scope = keyof typeof SCOPES;

/** What any use of the MCP endpoint needs; clients ask for it first. */
export const BASE_SCOPE: Scope = "catalog:read";

export const isScope = (name: string): name is Scope => Object.hasOwn(SCOPES, name);

const policy = bundledPolicy.ok ? bundledPolicy.policy : undefined;
const allowed = new Map(
  Object.entries(policy?.roles ?? {}).map(([role, { scopes }]) => [role, scopes.filter(isScope)]),
);

/** Roles that a user can be given; anonymous callers have theirs by being nobody. */
export const ROLES: readonly string[] = [...allowed.keys()].filter((role) => role !== "anonymous");

/** The scopes that roles allow, by the policy. A token narrows them, and never widens them; unknown roles allow nothing. */
export function scopesOf(roles: readonly string[]): Scope[] {
  return [...new Set(roles.flatMap((role) => allowed.get(role) ?? []))];
}
