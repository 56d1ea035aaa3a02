import { bundledPolicy } from "../policy/bundled.ts";

/** The scopes that a token can be granted, with the text that a person reads on the consent page. */
export const SCOPES = {
  "catalog:read": "Search the catalog, read products and stock",
  "inventory:write": "Change stock, and read who changed it",
  "support:read": "Read customers, orders and tickets; as a customer, your own",
  "support:write": "Close and reopen tickets",
  admin: "Administer this server",
} as const;
export type Scope = keyof typeof SCOPES;

/** The scope that every use of the MCP endpoint needs; clients request it first. */
export const BASE_SCOPE: Scope = "catalog:read";

export const isScope = (name: string): name is Scope => Object.hasOwn(SCOPES, name);

/** Every scope, in the order in which pages and challenges show them. */
export const ALL_SCOPES: readonly Scope[] = Object.keys(SCOPES).filter(isScope);

const policy = bundledPolicy.ok ? bundledPolicy.policy : undefined;
const allowed = new Map(
  Object.entries(policy?.roles ?? {}).map(([role, { scopes }]) => [role, scopes.filter(isScope)]),
);

/** Roles that a user can be given; `anonymous` is for callers without a user. */
export const ROLES: readonly string[] = [...allowed.keys()].filter((role) => role !== "anonymous");

/**
 * Returns the scopes that the policy allows these roles. A token may narrow them but never widens them; unknown roles
 * allow nothing.
 */
export function scopesOf(roles: readonly string[]): Scope[] {
  return [...new Set(roles.flatMap((role) => allowed.get(role) ?? []))];
}
