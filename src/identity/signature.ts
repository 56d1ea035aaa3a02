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
import { type Outcome, type Refusal, ok, refuse } from "../refusal.ts";
import { type RefusalCode } from "../refusal-codes.ts";
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

const isInOrder = ({ created, expires }: Pick<Claimed, "created" | "expires">): boolean =>
  created === undefined || expires === undefined || expires >= created;

/** Parameters of a signature, in seconds since the epoch. */
export interface Claimed {
  keyid: string;
  created?: number | undefined;
  expires?: number | undefined;
  nonce?: string | undefined;
}

export const parameterShape = {
  created: z.int().min(0),
  expires: z.int().min(0),
  // 128 bits or more: 22 characters of base64 hold them.
  nonce: z.string().regex(/^[A-Za-z0-9+/_-]{22,86}={0,2}$/),
  keyid: z.string().min(1).max(100),
};

const parametersSchema = z
  .object({ ...parameterShape, tag: z.literal(SIGNATURE_TAG) })
  .refine(({ created, expires }) => expires - created <= LIFETIME_MAX_S, { path: ["expires"] });

/** Seconds after `created` from which a signature is stale, whatever it says of itself. */
const AGE_MAX_S = 300;

/** The application's choices in checking a signature. */
export interface SignatureKind<Given extends Claimed, Key extends Verifier> {
  algorithms: readonly string[];
  /** Components that the signature must cover. */
  components: readonly string[];
  parameters: z.ZodType<Given>;
  /** Finds the key that `keyid` names; throws Refused if it may not sign. */
  findVerifier(parameters: Given, candidate: UntrustedSignatureCandidate): Promise<Key>;
}

const FIELDS = ["signature", "signature-input"];

/** Returns whether a request is meant to be signed. */
export const isSigned = (headers: Headers): boolean => FIELDS.some((name) => headers.has(name));

/** Checks the signature of a caller with a bearer token (docs/signing.md). */
export async function checkSignature(
  request: SignedRequest,
  context: SignatureContext,
): Promise<Outcome<CheckedSignature>> {
  const checked = await verifyRequest(request, context.now, {
    algorithms: SIGNATURE_ALGORITHMS,
    components: componentsFor(request.headers),
    parameters: parametersSchema,
    findVerifier: async ({ keyid }) => {
      const key = usableKey(await context.findKey(keyid), context);
      return { ...(await verifierOf(key)), key };
    },
  });
  if (!checked.ok) return checked;
  const { parameters, verifier, expiresAt } = checked.value;
  return ok({ key: verifier.key, nonce: parameters.nonce, expiresAt });
}

/**
 * Checks a request's signature (RFC 9421), cheapest check first: covered components, the body's digest, parameters,
 * freshness, the key, the signature itself. `now` and `expiresAt` are in milliseconds since the epoch.
 */
export async function verifyRequest<Given extends Claimed, Key extends Verifier>(
  request: SignedRequest,
  now: number,
  kind: SignatureKind<Given, Key>,
): Promise<Outcome<{ parameters: Given; verifier: Key; expiresAt: number }>> {
  const fields = FIELDS.map((name) => request.headers.get(name));
  if (fields.some((field) => field === null || field.length > FIELD_MAX)) return refuse(...MALFORMED);
  try {
    const { verifier } = await verifySignature(describe(request), {
      policy: {
        algorithms: kind.algorithms,
        // The library would only say that the policy was violated; claimsOf says which part of it.
        requiredComponents: [],
        requiredParameters: [],
        clockSkew: Number.MAX_SAFE_INTEGER,
      },
      resolveVerifier: async (candidate) => {
        const claims = claimsOf(candidate, request, now, kind);
        const key = await kind.findVerifier(claims.parameters, candidate);
        // The algorithm is the key's own; a message cannot choose another.
        if (candidate.algorithm !== undefined && candidate.algorithm !== key.algorithm)
          throw new Refused(...WRONG_ALGORITHM);
        return { ...key, claims, key };
      },
    });
    return ok({ ...verifier.claims, verifier: verifier.key });
  } catch (error) {
    return { ok: false, refusal: refusalOf(error) };
  }
}

/** Carries a refusal through the library, whose hook can only return a verifier. */
export class Refused extends Error {
  readonly refusal: Refusal;
  constructor(...refusal: Parameters<typeof refuse>) {
    super(refusal[1]);
    ({ refusal: this.refusal } = refuse(...refusal));
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
function claimsOf<Given extends Claimed>(
  { components, parameters, label }: UntrustedSignatureCandidate,
  { headers, body }: SignedRequest,
  now: number,
  kind: Pick<SignatureKind<Given, Verifier>, "components" | "parameters">,
): { parameters: Given; expiresAt: number } {
  const missing = kind.components.filter((name) => !covers(components, name, label));
  if (missing.length > 0) {
    throw new Refused("signature_incomplete", `The signature does not cover ${missing.join(", ")}.`);
  }
  if (!hasDigest(headers, contentDigest(body))) {
    throw new Refused("signature_digest_mismatch", "Content-Digest is not the SHA-256 of the body.");
  }
  const parsed = kind.parameters.safeParse(parameters);
  if (!parsed.success || !isInOrder(parsed.data)) {
    const wrong = parsed.success ? ["expires"] : parsed.error.issues.map(({ path }) => String(path[0]));
    throw new Refused(
      "signature_parameters",
      `Parameters missing or out of range: ${[...new Set(wrong)].join(", ")}.`,
    );
  }
  const { created = Infinity, expires = Infinity } = parsed.data;
  if (created !== Infinity && created * 1000 > now + CLOCK_SKEW_S * 1000) {
    throw new Refused("signature_early", "The signature was created in the future by this server's clock.");
  }
  const expiresAt = (Math.min(expires, created + AGE_MAX_S) + CLOCK_SKEW_S) * 1000;
  if (expiresAt < now) throw new Refused("signature_stale", "The signature has expired.");
  return { parameters: parsed.data, expiresAt };
}

/**
 * Requires the whole component: with parameters such as `key`, a component is only part of a field. Web Bot Auth covers the
 * member of Signature-Agent that has the signature's label.
 */
const covers = (components: readonly ComponentDescriptor[], wanted: string, label: string): boolean =>
  components.some(({ name, parameters }) => {
    const given = Object.entries(parameters);
    const isMember =
      name === "signature-agent" && given.every(([key, value]) => key === "key" && value === label);
    return name === wanted && (given.length === 0 || isMember);
  });

/** Returns whether the only SHA-256 in Content-Digest is this one; digests of other algorithms may stand beside it. */
function hasDigest(headers: Headers, expected: string): boolean {
  const members = (headers.get("content-digest") ?? "").split(",").map((member) => member.trim());
  const given = members.filter((member) => member.startsWith("sha-256="));
  return given.length === 1 && given[0] === expected;
}

/** Returns the key if it may sign for this caller. */
function usableKey(key: SigningKey | undefined, { userId, now }: SignatureContext): SigningKey {
  if (key === undefined) throw new Refused("signature_key", "There is no such signing key.");
  if (key.userId !== userId) {
    throw new Refused("signature_caller", "The signing key belongs to another user than the token.");
  }
  if (key.revokedAt !== null) throw new Refused("signature_key", "The signing key was revoked.");
  if (key.expiresAt !== null && key.expiresAt <= now) {
    throw new Refused("signature_key", "The signing key has expired.");
  }
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
