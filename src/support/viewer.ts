import type { Principal } from "../identity/principal.ts";
import { seesEveryCustomer } from "../policy/roles.ts";
import type { Policy } from "../policy/schema.ts";

/** The rows that a caller may see: everybody's, or one customer's own. Without a customer id, none. */
export type Viewer = { sees: "all" } | { sees: "own"; customerId: string | undefined };

export const viewerOf = (
  policy: Policy,
  { roles, customerId }: Pick<Principal, "roles" | "customerId">,
): Viewer => (seesEveryCustomer(policy, roles) ? { sees: "all" } : { sees: "own", customerId });
