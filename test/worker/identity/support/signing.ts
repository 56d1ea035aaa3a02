import { randomBytes } from "node:crypto";
import { type SignatureComponent, type Signer, createSignature, webcrypto } from "http-message-sig";
import type { SignedRequest } from "../../../../src/identity/signature.ts";
import { SIGNATURE_TAG, componentsFor, contentDigest } from "../../../../src/identity/signature-profile.ts";
import type { SigningKey } from "../../../../src/identity/signing-keys.ts";

/** A signer, and the record of its public half or shared secret. */
export interface KeyPair {
  signer: Signer;
  key: SigningKey;
}

export const hmacSigner = (secret: Uint8Array<ArrayBuffer>): Signer => ({
  algorithm: "hmac-sha256",
  async sign(base) {
    const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", key, base));
  },
});

const record = (algorithm: SigningKey["algorithm"], bytes: Uint8Array<ArrayBuffer>): SigningKey => ({
  id: `sign-${algorithm}`,
  userId: "price-bot",
  algorithm,
  bytes,
  expiresAt: null,
  revokedAt: null,
  touch: false,
});

export function hmacPair(): KeyPair {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  return { signer: hmacSigner(secret), key: record("hmac-sha256", secret) };
}

export async function ed25519Pair(): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new Error("no pair");
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  if (!(raw instanceof ArrayBuffer)) throw new Error("no bytes");
  return { signer: webcrypto.signer(pair.privateKey), key: record("ed25519", new Uint8Array(raw)) };
}

export interface SignChanges {
  components?: (needed: string[]) => SignatureComponent[];
  /** Undefined leaves a parameter out. */
  parameters?: Record<string, string | number | undefined> | undefined;
  label?: string;
}

export const newNonce = () => randomBytes(16).toString("base64url");

/** Signs a request by the profile, with the test's changes; `now` is in milliseconds. */
export async function signed(
  request: SignedRequest,
  { signer, keyId, now }: { signer: Signer; keyId: string; now: number },
  { components = (needed) => needed, parameters = {}, label = "sig1" }: SignChanges = {},
): Promise<SignedRequest> {
  const headers = new Headers(request.headers);
  if (!headers.has("content-digest")) headers.set("content-digest", contentDigest(request.body));
  const created = Math.floor(now / 1000);
  const all: Record<string, string | number | undefined> = {
    created,
    expires: created + 60,
    nonce: newNonce(),
    keyid: keyId,
    tag: SIGNATURE_TAG,
    ...parameters,
  };
  const { signature, signatureInput } = await createSignature(
    {
      kind: "request",
      method: request.method,
      targetUri: request.targetUri,
      fields: Array.from(headers, ([name, value]) => ({ name, value })),
    },
    { label, components: components(componentsFor(headers)), parameters: all, signer },
  );
  headers.set("signature-input", signatureInput);
  headers.set("signature", signature);
  return { ...request, headers };
}
