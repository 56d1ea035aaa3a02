import {
  type ComponentDescriptor,
  type RequestDescriptor,
  type SignatureErrorCode,
  type UntrustedSignatureCandidate,
  type Verifier,
  isSignatureError,
  verifySignature,
} from "http-message-sig";
import * as z from "zod";
import { type Outcome, type Refusal, type RefusalCode, ok, refuse } from "../refusal.ts";
import {
  CLOCK_SKEW_S,
  LIFETIME_MAX_S,
  SIGNATURE_ALGORITHMS,
  SIGNATURE_TAG,
  componentsFor,
  contentDigest,
} from "./signature-profile.ts";
import type { SigningKey } from "./signing-keys.ts";

/** The parts of a request that a signature can cover. */
export interface SignedRequest {
  method: string;
  /** The URL that the client used. */
  targetUri: string;
  headers: Headers;
  /** The raw bytes; their number is bounded. */
  body: Uint8Array;
}

interface SignatureContext {
  /** The user of the request's bearer token. */
  userId: string;
  findKey: (keyId: string) => Promise<SigningKey | undefined>;
  /** Milliseconds since the epoch. */
  now: number;
}

/** A valid signature. It may be trusted once its nonce is consumed. */
export interface CheckedSignature {
  key: SigningKey;
  nonce: string;
  /** The last moment at which it is fresh, in milliseconds since the epoch. */
  expiresAt: number;
}

/** Characters of each signature field: several times what a signature needs, and cheap to parse. */
const FIELD_MAX = 4_096;

const parametersSchema = z
  .object({
    created: z.int().min(0),
    expires: z.int().min(0),
    // 128 bits or more: 22 characters of base64 hold them.
    nonce: z.string().regex(/^[A-Za-z0-9+/_-]{22,86}={0,2}$/),
    keyid: z.string().min(1).max(100),
    tag: z.literal(SIGNATURE_TAG),
  })
  .refine(({ created, expires }) => expires >= created && expires - created <= LIFETIME_MAX_S, {
    path: ["expires"],
  });

const FIELDS = ["signature", "signature-input"];

/** Returns whether a request is meant to be signed. */
export const isSigned = (headers: Headers): boolean => FIELDS.some((name) => headers.has(name));

/**
 * Checks a request's signature (RFC 9421), cheapest check first: covered components, the body's digest, parameters,
 * freshness, the key, the signature itself.
 */
export async function checkSignature(
  request: SignedRequest,
  context: SignatureContext,
): Promise<Outcome<CheckedSignature>> {
  const fields = FIELDS.map((name) => request.headers.get(name));
  if (fields.some((field) => field === null || field.length > FIELD_MAX)) return refuse(...MALFORMED);
  try {
    const { verifier } = await verifySignature(describe(request), {
      policy: {
        algorithms: SIGNATURE_ALGORITHMS,
        // The library would only say that the policy was violated; claimsOf says which part of it.
        requiredComponents: [],
        requiredParameters: [],
        clockSkew: Number.MAX_SAFE_INTEGER,
      },
      resolveVerifier: async (candidate) => {
        const { keyid, nonce, expires } = claimsOf(candidate, request, context.now);
        const key = usableKey(await context.findKey(keyid), candidate.algorithm, context);
        return { ...(await verifierOf(key)), key, nonce, expires };
      },
    });
    const { key, nonce, expires } = verifier;
    return ok({ key, nonce, expiresAt: (expires + CLOCK_SKEW_S) * 1000 });
  } catch (error) {
    return { ok: false, refusal: refusalOf(error) };
  }
}

/** Carries a refusal through the library, whose hook can only return a verifier. */
class Refused extends Error {
  readonly refusal: Refusal;
  constructor(code: RefusalCode, message: string) {
    super(message);
    ({ refusal: this.refusal } = refuse(code, message));
  }
}

function describe({ method, targetUri, headers }: SignedRequest): RequestDescriptor {
  // A field with other characters cannot be signed, and need not be for the request to be.
  const fields = Array.from(headers, ([name, value]) => ({ name, value }));
  return {
    kind: "request",
    method,
    targetUri,
    fields: fields.filter(({ value }) => /^[\t\x20-\x7e]*$/.test(value)),
  };
}

/** Returns the signature's parameters after every check that needs no key. */
function claimsOf(
  { components, parameters }: UntrustedSignatureCandidate,
  { headers, body }: SignedRequest,
  now: number,
): z.output<typeof parametersSchema> {
  const missing = componentsFor(headers).filter((name) => !covers(components, name));
  if (missing.length > 0) {
    throw new Refused("signature_incomplete", `The signature does not cover ${missing.join(", ")}.`);
  }
  if (!hasDigest(headers, contentDigest(body))) {
    throw new Refused("signature_digest_mismatch", "Content-Digest is not the SHA-256 of the body.");
  }
  const parsed = parametersSchema.safeParse(parameters);
  if (!parsed.success) {
    const wrong = [...new Set(parsed.error.issues.map(({ path }) => String(path[0])))];
    throw new Refused("signature_parameters", `Parameters missing or out of range: ${wrong.join(", ")}.`);
  }
  const { created, expires } = parsed.data;
  if (created * 1000 > now + CLOCK_SKEW_S * 1000) {
    throw new Refused("signature_early", "The signature was created in the future by this server's clock.");
  }
  if ((expires + CLOCK_SKEW_S) * 1000 < now) {
    throw new Refused("signature_stale", "The signature has expired.");
  }
  return parsed.data;
}

/** Requires the whole component: with parameters such as `key`, a component is only part of a field. */
const covers = (components: readonly ComponentDescriptor[], wanted: string): boolean =>
  components.some(({ name, parameters }) => name === wanted && Object.keys(parameters).length === 0);

/** Returns whether the only SHA-256 in Content-Digest is this one; digests of other algorithms may stand beside it. */
function hasDigest(headers: Headers, expected: string): boolean {
  const members = (headers.get("content-digest") ?? "").split(",").map((member) => member.trim());
  const given = members.filter((member) => member.startsWith("sha-256="));
  return given.length === 1 && given[0] === expected;
}

/** Returns the key if it may sign for this caller. The algorithm is the key's own; a message cannot choose another. */
function usableKey(
  key: SigningKey | undefined,
  named: string | undefined,
  { userId, now }: SignatureContext,
): SigningKey {
  if (key === undefined) throw new Refused("signature_key", "There is no such signing key.");
  if (key.userId !== userId) {
    throw new Refused("signature_caller", "The signing key belongs to another user than the token.");
  }
  if (key.revokedAt !== null) throw new Refused("signature_key", "The signing key was revoked.");
  if (key.expiresAt !== null && key.expiresAt <= now) {
    throw new Refused("signature_key", "The signing key has expired.");
  }
  if (named !== undefined && named !== key.algorithm) throw new Refused(...WRONG_ALGORITHM);
  return key;
}

const ALGORITHMS = {
  "hmac-sha256": { parameters: { name: "HMAC", hash: "SHA-256" }, signatureBytes: 32 },
  ed25519: { parameters: { name: "Ed25519" }, signatureBytes: 64 },
};

/** Returns a verifier for the algorithm that the key was made for. */
export async function verifierOf({
  algorithm,
  bytes,
}: Pick<SigningKey, "algorithm" | "bytes">): Promise<Verifier> {
  const { parameters, signatureBytes } = ALGORITHMS[algorithm];
  const key = await crypto.subtle.importKey("raw", bytes, parameters, false, ["verify"]);
  return {
    algorithm,
    // workerd throws if an Ed25519 signature has another length.
    verify: async (data, signature) =>
      signature.length === signatureBytes && crypto.subtle.verify(parameters, key, signature, data),
  };
}

const WRONG_ALGORITHM = [
  "signature_algorithm",
  "The signature names another algorithm than its key's.",
] as const;
const MALFORMED = [
  "signature_malformed",
  "Signature and Signature-Input do not hold one valid signature.",
] as const;

/** Maps failures inside the library to refusals. */
const FAILURES: Record<Exclude<SignatureErrorCode, "ResolverFailed">, readonly [RefusalCode, string]> = {
  MissingField: ["signature_incomplete", "The signature covers a header that the request does not have."],
  MalformedField: MALFORMED,
  LabelRequired: MALFORMED,
  LabelMismatch: MALFORMED,
  DuplicateLabel: MALFORMED,
  InvalidComponent: MALFORMED,
  DuplicateComponent: MALFORMED,
  UnsupportedFeature: MALFORMED,
  AlgorithmMismatch: WRONG_ALGORITHM,
  PolicyViolation: WRONG_ALGORITHM,
  VerificationFailed: ["signature_invalid", "The signature does not match this request."],
};

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal;
  if (!isSignatureError(error)) throw error;
  if (error.code === "ResolverFailed") return refusalOf(error.cause);
  return refuse(...FAILURES[error.code]).refusal;
}
