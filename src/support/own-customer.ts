import type { Policy } from "../policy/schema.ts";
import { seesEveryCustomer } from "../policy/roles.ts";
import { customerIdSchema, toKey } from "./ids.ts";
import { scopesOf } from "../identity/scopes.ts";

/** Returns whether users with these roles use the support desk as one of its customers, and so must be one. */
export const needsCustomer = (policy: Policy, roles: readonly string[]): boolean =>
  scopesOf(roles).includes("support:read") && !seesEveryCustomer(policy, roles);

/** Returns whether the support desk has a customer with this id. */
export async function isCustomer(db: D1Database, id: string): Promise<boolean> {
  const key = toKey(customerIdSchema, id);
  return (
    key !== null && (await db.prepare("SELECT 1 FROM customers WHERE id = ?").bind(key).first()) !== null
  );
}
