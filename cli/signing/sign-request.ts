import { createHmac, createPrivateKey, randomBytes, sign } from "node:crypto";
import { type Signer, createSignature } from "http-message-sig";
import {
  LIFETIME_MAX_S,
  SIGNATURE_TAG,
  componentsFor,
  contentDigest,
} from "../../src/identity/signature-profile.ts";

/** A request to sign: it has its bearer token and content type, but no digest yet. */
export interface UnsignedRequest {
  url: URL;
  headers: Headers;
  body: Uint8Array;
}

/**
 * Returns a signer for an HMAC secret as `signing-keys create` shows it, or for an Ed25519 private key in
 * PEM.
 */
export function signerOf(secret: string): Signer {
  if (secret.startsWith("pcs_")) {
    return {
      algorithm: "hmac-sha256",
      sign: (base) => createHmac("sha256", secret).update(base).digest(),
    };
  }
  const key = createPrivateKey(secret);
  if (key.asymmetricKeyType !== "ed25519")
    throw new Error(`It is a key of the kind ${key.asymmetricKeyType}.`);
  return { algorithm: "ed25519", sign: (base) => sign(null, base, key) };
}

/**
 * Returns the headers of a POST with its digest and signature (docs/signing.md). `now` is in milliseconds.
 */
export async function signRequest(
  { url, headers, body }: UnsignedRequest,
  { keyId, signer, now }: { keyId: string; signer: Signer; now: number },
): Promise<Headers> {
  const signed = new Headers(headers);
  signed.set("content-digest", contentDigest(body));
  const created = Math.floor(now / 1000);
  const { signature, signatureInput } = await createSignature(
    {
      kind: "request",
      method: "POST",
      targetUri: url.href,
      fields: Array.from(signed, ([name, value]) => ({ name, value })),
    },
    {
      components: componentsFor(signed),
      parameters: {
        created,
        expires: created + LIFETIME_MAX_S,
        nonce: randomBytes(16).toString("base64url"),
        keyid: keyId,
        tag: SIGNATURE_TAG,
      },
      signer,
    },
  );
  signed.set("signature-input", signatureInput);
  signed.set("signature", signature);
  return signed;
}
