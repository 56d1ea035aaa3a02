import * as z from "zod";

/** The time at which the state was made: so far ahead that none of its alarms fires by itself. */
export const MADE_AT = 2_000_000_000_000;
export const DAY = 24 * 60 * 60 * 1000;

/** The principals whose objects are in the state, by what happened to them. */
export const PRINCIPALS = {
  /** Read people until a rule stopped it, over and over; its incident is open. */
  stopped: "stopped",
  /** Was stopped, and a person let it go on. */
  released: "released",
  /**
   * Read a ticket with an instruction in it, and a planted customer; was blocked or asked about its next
   * write.
   */
  tainted: "tainted",
  /**
   * Looked at products and at SKUs that do not exist; was refused for bad arguments, and that run of refusals
   * is open.
   */
  shopper: "shopper",
  /** Signs requests; one of its nonces is fresh. */
  signer: "signer",
  /** Its first records were pruned. */
  old: "old",
  /** Administers; its own changes are in the others' chains. */
  admin: "keeper",
} as const;

/** The credentials that open the state. */
export const secretsSchema = z.object({
  keys: z.record(z.string(), z.string()),
  oauth: z.object({
    user: z.string(),
    clientId: z.string(),
    accessToken: z.string(),
    refreshToken: z.string(),
  }),
  incident: z.string(),
  nonce: z.object({ keyId: z.string(), nonce: z.string(), expiresAt: z.int() }),
});
export type Secrets = z.output<typeof secretsSchema>;
