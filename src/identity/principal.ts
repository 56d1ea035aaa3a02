import * as z from "zod";
import { type Scope, scopesOf } from "./scopes.ts";

/** The caller. Other code sees only this, never a key, token or cookie. */
export const principalSchema = z.strictObject({
  /** The same for all keys, tokens and clients of one user. */
  id: z.string().min(1),
  kind: z.enum(["user", "service", "anonymous", "local"]),
  roles: z.array(z.string()),
  /** Set if the user is a customer of the shop, who may see their own rows. */
  customerId: z.string().optional(),
  via: z.enum(["key", "oauth", "session", "local", "signature", "none"]),
  /** Permissions of the caller: those of its roles, narrowed to those its token was granted. */
  scopes: z.array(z.string()),
  /** Accounts that recently created it or its credential; it shares their budget of people (docs/detection.md). */
  madeBy: z.array(z.string()).optional(),
  /** Set if another account recently created it or its credential: all such callers share a budget (docs/detection.md). */
  isNew: z.literal(true).optional(),
  /** The id under which an anonymous caller's network is counted (docs/detection.md). */
  network: z.string().optional(),
});
export type Principal = z.output<typeof principalSchema>;

/** Makes the principal of an unauthenticated caller, who is counted by network address. */
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

/** Begins the id of a shopping agent. Ids of users hold no colon. */
const AGENT = "agent:";
/** Returns the host of a shopping agent's id; undefined for any other id. */
export const agentHostOf = (id: string): string | undefined =>
  id.startsWith(AGENT) ? id.slice(AGENT.length) : undefined;

/** Makes the principal of a shopping agent whose host the policy lists. */
export const agentAt = (host: string, roles: string[]): Principal => ({
  id: `${AGENT}${host}`,
  kind: "service",
  roles,
  via: "signature",
  scopes: scopesOf(roles),
});

export const mayUse = (principal: Principal, scope: Scope): boolean => principal.scopes.includes(scope);
