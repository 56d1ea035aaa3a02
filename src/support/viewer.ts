import type { Principal } from "../identity/principal.ts";
import { seesEveryCustomer } from "../policy/roles.ts";
import type { Policy } from "../policy/schema.ts";

/**
 * The rows that a caller may see: everybody's, or one customer's own. Without a customer id, none. `user` is the id to which
 * tickets are assigned.
 */
export type Viewer = { sees: "all"; user?: string } | { sees: "own"; customerId: string | undefined };

export const viewerOf = (
  policy: Policy,
  { id, roles, customerId }: Pick<Principal, "id" | "roles" | "customerId">,
): Viewer => (seesEveryCustomer(policy, roles) ? { sees: "all", user: id } : { sees: "own", customerId });
