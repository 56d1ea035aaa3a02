import type { AppContext } from "../app-types.ts";
import { type Principal, anonymous } from "./principal.ts";
import { hashAddress } from "./secrets.ts";

/** Who calls, as far as the network tells: what a caller is counted by who has proved nothing. */
export const callerByAddress = (c: AppContext): Principal =>
  anonymous(hashAddress(c.req.header("cf-connecting-ip") ?? "local", c.var.secretKey));
