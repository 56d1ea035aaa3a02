import type { AppContext } from "../../app-types.ts";
import { callerByAddress } from "../../identity/caller-address.ts";
import type { Endpoint } from "../../policy/schema.ts";
import { type Guard, createGuard } from "../../guard/guard.ts";
import { recorded } from "../../guard/recorded.ts";

/**
 * The guard of a request whose caller has proved nothing: it charges the network address, or the network around it. Each
 * endpoint has an object of its own, so that no other use of the address can close it.
 */
export function guardOfAddress(c: AppContext, endpoint: Endpoint): Guard {
  const { policy, secretKey, origin, deadline } = c.var;
  const address = callerByAddress(c);
  const place = endpoint === "register_network" ? address.network : address.id;
  const context = {
    policy,
    principal: { ...address, id: `${place}-${endpoint}` },
    limit: policy.unauthenticated[endpoint],
    db: c.env.DB,
    windows: c.env.USER_WINDOWS,
    origin,
    secretKey,
    protocol: "unsaid",
    client: "",
    deadline,
  };
  return recorded(createGuard(context), context);
}
