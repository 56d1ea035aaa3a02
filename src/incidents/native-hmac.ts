import { createHmac } from "node:crypto";

// Takes the place of `fast-sha256` in the bundle (wrangler.toml, "alias"), with which standardwebhooks signs messages.

/** Returns the HMAC-SHA256 of the data, as the runtime itself computes it. */
export const hmac = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  createHmac("sha256", key).update(data).digest();
