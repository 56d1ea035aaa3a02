import type { AppContext } from "../../app-types.ts";
import { callerByAddress } from "../../identity/caller-address.ts";
import type { Endpoint } from "../../policy/schema.ts";
import { catalogSize } from "../../guard/catalog-size.ts";
import { createGuard } from "../../guard/guard.ts";
import type { Guard } from "../../guard/guarded-call.ts";

/**
 * Returns the guard of an unauthenticated request, which charges the network address or the network around it. Each
 * endpoint has an object of its own, so that other uses of the address cannot use up its limit.
 */
export async function guardOfAddress(c: AppContext, endpoint: Endpoint): Promise<Guard> {
  const { policy, secretKey, origin, deadline } = c.var;
  const address = callerByAddress(c);
  const place = endpoint === "register_network" ? address.network : address.id;
  return createGuard({
    policy,
    principal: { ...address, id: `${place}-${endpoint}` },
    limit: policy.unauthenticated[endpoint],
    db: c.env.DB,
    catalogSize: await catalogSize(c.env.DB, Date.now(), deadline),
    callers: c.env.USER_WINDOWS,
    origin,
    secretKey,
    protocol: "unsaid",
    client: "",
    deadline,
  });
}
