import { waitUntil } from "cloudflare:workers";
import type { AppContext } from "../app-types.ts";
import { keptTokenOf } from "../detection/tokens.ts";
import { type SignedRequest, checkSignature, isSigned } from "../identity/signature.ts";
import type { SignatureRule } from "../identity/signature-profile.ts";
import { findSigningKey, touchSigningKey } from "../identity/signing-keys.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { logEvent, logSurprise } from "../telemetry/log.ts";
import type { Spent } from "../caller/nonces.ts";
import { guardOfAddress } from "./limits/address-guard.ts";
import { UNAVAILABLE } from "../guard/refusals.ts";
import type { Target } from "../guard/target.ts";
import { CallerClient } from "../caller/caller-client.ts";
import { Unreachable } from "../unreachable.ts";

/** The user of the bearer token, and whether it requires a signature. */
interface Claimed {
  userId: string;
  signature: SignatureRule;
}

/**
 * Checks a request's signature and consumes its nonce, once per HTTP request, however many calls it holds. A signature
 * must be valid even if none is required. Returns undefined if the request may proceed.
 */
export async function refuseSignature(c: AppContext, claimed: Claimed): Promise<Refusal | undefined> {
  const request = c.req.raw;
  if (!isSigned(request.headers)) {
    return claimed.signature === "required" ? charge(c, REQUIRED, claimed) : undefined;
  }
  const now = Date.now();
  const signed = await describeSigned(c);
  const findKey = (keyId: string) => findSigningKey(c.env.DB, c.var.secretKey, keyId, now);
  const checked = await checkSignature(signed, { userId: claimed.userId, findKey, now });
  if (!checked.ok) return charge(c, checked.refusal, claimed);

  const { key, nonce, expiresAt } = checked.value;
  const refusal = await refuseUsedNonce(
    c,
    { keyId: key.id, nonce, expiresAt, requestId: c.var.correlationId },
    claimed,
  );
  if (refusal === undefined && key.touch) waitUntil(touchSigningKey(c.env.DB, key.id, now));
  return refusal;
}

/** Describes the request as its client signed it. */
export async function describeSigned(c: AppContext): Promise<SignedRequest> {
  const { method, headers, url } = c.req.raw;
  const { pathname, search } = new URL(url);
  const body = new Uint8Array(await c.req.raw.clone().arrayBuffer());
  return { method, targetUri: `${c.var.origin}${pathname}${search}`, headers, body };
}

/** Consumes the nonce. Returns a refusal if it was used before, or if it cannot be consumed now. */
export async function refuseUsedNonce(
  c: AppContext,
  spent: Spent,
  claimed: Pick<Claimed, "userId">,
): Promise<Refusal | undefined> {
  try {
    const answer = await new CallerClient(c.env.USER_WINDOWS, claimed.userId, c.var.deadline).consumeNonce(
      spent,
    );
    if (answer.status === "fresh") return undefined;
    if (answer.status === "used") return await charge(c, REPLAYED, claimed);
    const { retryAfterMs } = answer;
    return refuse("rate_limited", `Too many signed requests; the next can be made in ${retryAfterMs} ms.`, {
      retryAfterMs,
    }).refusal;
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    // Fail closed: a nonce that cannot be consumed may have been used before.
    logSurprise(error.cause, { correlation_id: c.var.correlationId, what: "nonce" });
    return UNAVAILABLE;
  }
}

/**
 * Charges a refusal to the network address. If it were charged to the user, anybody who has seen the token could use up
 * the user's limit.
 */
export async function charge(
  c: AppContext,
  refusal: Refusal,
  { userId }: Pick<Claimed, "userId">,
): Promise<Refusal> {
  const { secretKey, correlationId } = c.var;
  logEvent("signature_refused", {
    correlation_id: correlationId,
    code: refusal.code,
    claimed_principal: keptTokenOf("principal", userId, secretKey),
  });
  const guard = await guardOfAddress(c, "signature");
  await guard.admit({
    correlationId,
    target: TARGET,
    args: {},
    refused: { signature: refusal },
  });
  return refusal;
}

const TARGET: Target = {
  kind: "request",
  name: "signature",
  bucket: "calls",
  access: undefined,
  labels: undefined,
};
const REQUIRED = refuse("signature_required", "The request is not signed.").refusal;
const REPLAYED = refuse("signature_replayed", "The signature's nonce was used before.").refusal;
