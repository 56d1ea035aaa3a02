import * as z from "zod";

/** When the state was made: so far off that no alarm which it sets comes by itself. */
export const MADE_AT = 2_000_000_000_000;
export const DAY = 24 * 60 * 60 * 1000;

/** Whose objects the state has, by what happened to them. */
export const PRINCIPALS = {
  /** Read people until a rule stopped it, over and over; its incident is open. */
  stopped: "stopped",
  /** Was stopped, and a person let it go on. */
  released: "released",
  /** Read a ticket with an instruction in it, and a planted customer; was blocked or asked about its next write. */
  tainted: "tainted",
  /** Looked at products and at SKUs that do not exist; was refused for bad arguments, the run of which is open. */
  shopper: "shopper",
  /** Signs: one of its nonces is fresh. */
  signer: "signer",
  /** Its first records were pruned. */
  old: "old",
  /** Administers; its own changes stand in the others' chains. */
  admin: "keeper",
} as const;

/** What opens the state, and nothing else. */
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
