import { createHash } from "node:crypto";

// The format of signed requests (docs/signing.md): a profile of RFC 9421, HTTP Message Signatures. `npx product-catalog-mcp sign` makes
// what signature.ts checks.

/** Whether requests with an access key must be signed too. */
export const SIGNATURE_RULES = ["optional", "required"] as const;
export type SignatureRule = (typeof SIGNATURE_RULES)[number];

export const SIGNATURE_ALGORITHMS = ["hmac-sha256", "ed25519"] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** Names the signature's purpose, so that one made for another server or purpose is invalid here. */
export const SIGNATURE_TAG = "product-catalog-mcp";
/** Seconds from `created` to `expires` at most. */
export const LIFETIME_MAX_S = 60;
/** Seconds by which clocks may differ. */
export const CLOCK_SKEW_S = 5;

const ALWAYS = ["@method", "@target-uri", "content-digest", "content-type", "authorization"];
// These choose what is done on 2026-07-28, but older clients do not send them.
const WHERE_PRESENT = ["mcp-method", "mcp-name"];

/** Returns the components that the signature of a request with these headers must cover. */
export const componentsFor = (headers: Headers): string[] => [
  ...ALWAYS,
  ...WHERE_PRESENT.filter((name) => headers.has(name)),
];

/** Returns a body's Content-Digest (RFC 9530). */
export const contentDigest = (body: Uint8Array): string =>
  `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
