import type { AppContext } from "../app-types.ts";
import { callerByAddress } from "../identity/caller-address.ts";
import { type Guard, createGuard } from "./guard.ts";
import { recorded } from "./recorded.ts";

/** The guard of a request whose caller has proved nothing: it charges the network address. */
export function guardOfAddress(c: AppContext): Guard {
  const { policy, secretKey, origin, deadline } = c.var;
  const context = {
    policy,
    principal: callerByAddress(c),
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
