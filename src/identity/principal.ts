import * as z from "zod";
import { type Scope, scopesOf } from "./scopes.ts";

/** Who calls. The rest of the code sees this and nothing else of a key, a token or a cookie. */
export const principalSchema = z.strictObject({
  /** The same for all keys, tokens and clients of one user. */
  id: z.string().min(1),
  kind: z.enum(["user", "service", "anonymous", "local"]),
  roles: z.array(z.string()),
  /** Set where the user is a customer of the shop, who may see rows of their own. */
  customerId: z.string().optional(),
  via: z.enum(["key", "oauth", "session", "local", "none"]),
  /** What the caller may do: what its roles allow, narrowed by what its token was granted. */
  scopes: z.array(z.string()),
  /** Accounts that lately made it or its credential: it shares their budget of people (docs/detection.md). */
  madeBy: z.array(z.string()).optional(),
  /** The id that the network around a caller without a name is counted by (docs/detection.md). */
  network: z.string().optional(),
});
export type Principal = z.output<typeof principalSchema>;

/** A caller who proved nothing, counted by network address. */
export function anonymous(address: string, network?: string): Principal {
  return {
    ...(network !== undefined && { network: `anon-net-${network}` }),
    id: `anon-${address}`,
    kind: "anonymous",
    roles: ["anonymous"],
    via: "none",
    scopes: scopesOf(["anonymous"]),
  };
}

export const mayUse = (principal: Principal, scope: Scope): boolean => principal.scopes.includes(scope);
