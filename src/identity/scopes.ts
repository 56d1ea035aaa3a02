/** What a token can be granted, and what a person reads about it on the consent page. */
export const SCOPES = {
  "catalog:read": "Search the catalog, read products and stock",
  "inventory:write": "Change stock",
  "support:read": "Read customers, orders and tickets",
  admin: "Administer this server",
} as const;
export type Scope = keyof typeof SCOPES;

/** What any use of the MCP endpoint needs; clients ask for it first. */
export const BASE_SCOPE: Scope = "catalog:read";

/** The scopes that a role allows. A token narrows them, and never widens them. */
const ROLE_SCOPES = {
  anonymous: ["catalog:read"],
  shopper: ["catalog:read"],
  customer: ["catalog:read"],
  support: ["catalog:read", "support:read"],
  inventory: ["catalog:read", "inventory:write"],
  admin: ["catalog:read", "inventory:write", "support:read", "admin"],
} as const satisfies Record<string, readonly Scope[]>;
export type Role = keyof typeof ROLE_SCOPES;

/** Roles that a user can be given; anonymous callers have theirs by being nobody. */
export const ROLES = [
  "shopper",
  "customer",
  "support",
  "inventory",
  "admin",
] as const satisfies readonly Role[];

const allowed = new Map<string, readonly Scope[]>(Object.entries(ROLE_SCOPES));

/** Unknown roles allow nothing. */
export function scopesOf(roles: readonly string[]): Scope[] {
  return [...new Set(roles.flatMap((role) => allowed.get(role) ?? []))];
}
