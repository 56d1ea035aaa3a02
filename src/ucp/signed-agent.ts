import { createHash } from "node:crypto";
import type { Verifier } from "http-message-sig";
import { parseDictionary } from "structured-headers";
import * as z from "zod";
import type { AppContext } from "../app-types.ts";
import { withinAddressLimit } from "../http/limits/address-limit.ts";
import { UNAVAILABLE } from "../guard/refusals.ts";
import { charge, describeSigned, refuseUsedNonce } from "../http/signed-request.ts";
import { callerByAddress } from "../identity/caller-address.ts";
import { type Principal, agentAt } from "../identity/principal.ts";
import { Refused, parameterShape, verifyRequest } from "../identity/signature.ts";
import { type Outcome, type Refusal, ok, refuse } from "../refusal.ts";
import { publicUrl } from "../validation/public-url.ts";
import { type AgentProfile, fetchProfile } from "./fetch-profile.ts";

// Requests that an agent signs with a key of its profile (RFC 9421, as UCP and Web Bot Auth use it). The signature of an agent
// whose host the policy does not list is checked too, but changes nothing: a host name costs nothing, so it must not bring
// limits of its own.

/** An agent whose signature is good. */
interface SignedAgent {
  principal: Principal;
  /** URL of the profile that has the key. */
  profile: string;
}

/**
 * Returns who signed a request. `isOpen`: whether callers without a credential are served. If they are not, and the policy
 * does not list the agent, nothing is fetched, and the caller is told to sign in: undefined.
 */
export async function signedAgent(
  c: AppContext,
  { isOpen }: { isOpen: boolean },
): Promise<Outcome<SignedAgent> | undefined> {
  const profile = profileNamedIn(c.req.raw.headers);
  // This server's own profile has no keys.
  if (profile === undefined || profile.origin === c.var.origin) return NO_PROFILE;
  const { agents } = c.var.policy;
  const roles = Object.hasOwn(agents, profile.hostname) ? agents[profile.hostname] : undefined;
  if (roles === undefined && !isOpen) return undefined;
  const principal = roles === undefined ? callerByAddress(c) : agentAt(profile.hostname, roles);
  const refusal = await refuseAgent(c, profile, principal);
  return refusal === undefined ? ok({ principal, profile: profile.href }) : { ok: false, refusal };
}

async function refuseAgent(c: AppContext, profile: URL, principal: Principal): Promise<Refusal | undefined> {
  const request = await describeSigned(c);
  const { headers, targetUri } = request;
  const now = Date.now();
  const isListed = principal.via === "signature";
  const claimed = { userId: principal.id };
  const checked = await verifyRequest(request, now, {
    algorithms: Object.values(ALGORITHMS).map(({ name }) => name),
    components: [
      "@method",
      "@authority",
      "@path",
      "content-digest",
      "content-type",
      ...(new URL(targetUri).search === "" ? [] : ["@query"]),
      ...["ucp-agent", "signature-agent", "idempotency-key"].filter((name) => headers.has(name)),
    ],
    parameters: isListed ? listedParameters : agentParameters,
    async findVerifier({ keyid, tag }) {
      if (tag !== undefined && !headers.has("signature-agent"))
        throw new Refused("signature_incomplete", "The signature does not cover signature-agent.");
      const fetched = await profileWithKey(c, profile, keyid, now);
      if (!fetched.ok) throw new Refused(fetched.refusal.code, fetched.refusal.message, fetched.refusal);
      return verifierFor(fetched.value, keyid, tag !== undefined);
    },
  });
  if (!checked.ok) {
    const { code, message } = checked.refusal;
    const refusal =
      code === "signature_digest_mismatch" ? refuse("digest_mismatch", message).refusal : checked.refusal;
    return charge(c, refusal, claimed);
  }
  const { parameters, expiresAt } = checked.value;
  const { keyid: keyId, nonce } = parameters;
  return isListed && nonce !== undefined
    ? refuseUsedNonce(c, { keyId, nonce, expiresAt, requestId: c.var.correlationId }, claimed)
    : undefined;
}

const tag = z.literal("web-bot-auth").optional();
/** A listed agent's signature is good once and for a short time, because it opens limits that others lack. */
const listedParameters = z.object({ ...parameterShape, tag });
/** UCP leaves out the times; Web Bot Auth requires them. */
const agentParameters = z
  .object({ ...z.object(parameterShape).partial().shape, keyid: parameterShape.keyid, tag })
  .refine(
    ({ tag: kind, created, expires }) =>
      kind === undefined || (created !== undefined && expires !== undefined),
    {
      path: ["created"],
    },
  );

/** Fetches a profile that is not kept, or that lacks the key, within the limit of the network address. */
async function profileWithKey(
  c: AppContext,
  profile: URL,
  keyId: string,
  now: number,
): Promise<Outcome<AgentProfile>> {
  return fetchProfile(profile, now, {
    caller: callerByAddress(c).id,
    isListed: Object.hasOwn(c.var.policy.agents, profile.hostname),
    keyId,
    async within(work) {
      let fetched: Outcome<AgentProfile> | undefined;
      const refusal = await withinAddressLimit(c, "profile", async () => {
        fetched = await work();
      });
      return fetched ?? { ok: false, refusal: refusal ?? UNAVAILABLE };
    },
  });
}

const publicKey = z.looseObject({
  kid: z.string(),
  kty: z.string(),
  crv: z.string().optional(),
  x: z.string().optional(),
  y: z.string().optional(),
  alg: z.string().optional(),
  use: z.literal("sig").optional(),
  key_ops: z
    .array(z.string())
    .refine((uses) => uses.includes("verify"))
    .optional(),
  // A private key that is published is anybody's.
  d: z.undefined().optional(),
});

const ALGORITHMS = {
  "P-256": { name: "ecdsa-p256-sha256", jwa: "ES256", members: ["crv", "kty", "x", "y"] },
  Ed25519: { name: "ed25519", jwa: "EdDSA", members: ["crv", "kty", "x"] },
} as const;
const SIGNATURE_BYTES = 64;

/** Returns the verifier of a profile's key. Its algorithm follows from the key; `isThumbprint`: `keyId` must be its RFC 7638 hash. */
async function verifierFor({ keys }: AgentProfile, keyId: string, isThumbprint: boolean): Promise<Verifier> {
  const key = keys.flatMap((each) => publicKey.safeParse(each).data ?? []).find(({ kid }) => kid === keyId);
  if (key === undefined) throw new Refused("key_not_found", "The agent's profile has no such key.");
  const { kty, crv = "", x = "", y = "", alg } = key;
  if (crv !== "P-256" && crv !== "Ed25519") throw new Refused(...UNSUPPORTED);
  const { name, jwa, members } = ALGORITHMS[crv];
  if (alg !== undefined && alg !== jwa) throw new Refused(...UNSUPPORTED);
  const jwk = { kty, crv, x, ...(crv === "P-256" && { y }) };
  const thumbprint = createHash("sha256")
    .update(JSON.stringify(jwk, [...members]))
    .digest("base64url");
  if (isThumbprint && keyId !== thumbprint)
    throw new Refused("signature_invalid", "The keyid is not the thumbprint of its key.");
  const algorithm =
    crv === "P-256" ? { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } : { name: "Ed25519" };
  const imported = await crypto.subtle
    .importKey("jwk", jwk, algorithm, false, ["verify"])
    .catch(() => undefined);
  if (imported === undefined) throw new Refused(...UNSUPPORTED);
  return {
    algorithm: name,
    // workerd throws if a signature has another length.
    verify: async (data, signature) =>
      signature.length === SIGNATURE_BYTES && crypto.subtle.verify(algorithm, imported, signature, data),
  };
}

/** Returns the URL in the header UCP-Agent; undefined if it is missing or cannot be fetched. */
function profileNamedIn(headers: Headers): URL | undefined {
  try {
    const [profile] = parseDictionary(headers.get("ucp-agent") ?? "").get("profile") ?? [];
    return typeof profile === "string" ? publicUrl(profile) : undefined;
  } catch {
    return undefined;
  }
}

const NO_PROFILE = refuse(
  "invalid_profile_url",
  'A signed request needs the header UCP-Agent: profile="https://…".',
);
const UNSUPPORTED = ["algorithm_unsupported", "The agent's key is of another kind."] as const;
