import { createHmac } from "node:crypto";

/** A local server proves here that it knows its lock's key: asked with `?nonce=`, it answers with proofOf. */
export const PROOF_PATH = "/__local/proof";

/** Proves knowledge of the key without revealing it. */
export const proofOf = (nonce: string, key: string): string =>
  createHmac("sha256", key).update(`proof ${nonce}`).digest("base64url");
