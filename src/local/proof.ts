import { createHmac } from "node:crypto";

/** Where a server on this machine proves that it knows its lock's key: asked with `?nonce=`, it answers with proofOf. */
export const PROOF_PATH = "/__local/proof";

/** Shows that somebody knows the key, without telling it. */
export const proofOf = (nonce: string, key: string): string =>
  createHmac("sha256", key).update(`proof ${nonce}`).digest("base64url");
