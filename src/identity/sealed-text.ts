import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

// Texts that are stored so that only the holder of a secret can read them.

const ALGORITHM = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** A text of one purpose can't be opened as one of another. The names are part of what is stored. */
export type Purpose = "sealed refresh answer" | "feed URL";

/** The holder of the secret can open a text that was sealed for the same purpose and owner. */
export interface Seal {
  purpose: Purpose;
  secret: string;
  /** The client or feed that the text belongs to. */
  owner: string;
}

const keyOf = ({ secret, purpose }: Seal): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", secret, "", purpose, 32));

/** Returns the sealed text in base64url. */
export function sealText(text: string, seal: Seal): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, keyOf(seal), iv).setAAD(Buffer.from(seal.owner));
  const sealed = [cipher.update(text, "utf8"), cipher.final()];
  return Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString("base64url");
}

/** Throws if the seal differs in anything, or the sealed text was changed. */
export function openText(sealed: string, seal: Seal): string {
  const bytes = Buffer.from(sealed, "base64url");
  const iv = bytes.subarray(0, IV_BYTES);
  const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
  const decipher = createDecipheriv(ALGORITHM, keyOf(seal), iv)
    .setAAD(Buffer.from(seal.owner))
    .setAuthTag(tag);
  return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
}
