import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

// An answer with tokens, stored so that only the holder of the refresh token that was exchanged for them can read it.

const ALGORITHM = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;

const keyOf = (token: string): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", token, "", "sealed refresh answer", 32));

/** Seals an answer for the holder of a token, and binds it to a client. */
export function sealAnswer(answer: string, token: string, client: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, keyOf(token), iv).setAAD(Buffer.from(client));
  const sealed = [cipher.update(answer, "utf8"), cipher.final()];
  return Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString("base64url");
}

/** Throws if the token or the client is another one, or the sealed answer was changed. */
export function openAnswer(sealed: string, token: string, client: string): string {
  const bytes = Buffer.from(sealed, "base64url");
  const iv = bytes.subarray(0, IV_BYTES);
  const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
  const decipher = createDecipheriv(ALGORITHM, keyOf(token), iv).setAAD(Buffer.from(client)).setAuthTag(tag);
  return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
}
