import type { AppContext } from "../app-types.ts";
import { type Principal, anonymous } from "./principal.ts";
import { hashAddress, hashNetwork } from "./secrets.ts";

/** Returns the principal of an unauthenticated request, identified by its network address. */
export function callerByAddress(c: AppContext): Principal {
  const address = c.req.header("cf-connecting-ip") ?? "local";
  const { secretKey } = c.var;
  return anonymous(hashAddress(address, secretKey), hashNetwork(address, secretKey));
}
