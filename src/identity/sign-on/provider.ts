import * as oidc from "openid-client";
import type { SignOnSettings } from "../../env.ts";
import { foreignText, logEvent } from "../../telemetry/log.ts";
import type { Claims } from "./person.ts";

// The OpenID Connect provider. openid-client makes every check of its answers.

/**
 * `unavailable`: it does not answer, or not as a provider does. `declined`: the person refused there. `refused`: its
 * answer was invalid, or it rejected our request.
 */
export type ProviderProblem = "unavailable" | "declined" | "refused";
export type Answer<T> = { ok: true; value: T } | { ok: false; problem: ProviderProblem };

/** Seconds that a request to the provider may take, because a person waits for it. */
const TIMEOUT_S = 5;
/** Milliseconds that an isolate caches the discovery document. */
const METADATA_MS = 10 * 60 * 1000;

// Plain data only: the library keeps state of its requests, which must not pass from one workerd request to another.
let known: { issuer: string; metadata: oidc.ServerMetadata; until: number } | undefined;

/** Returns the provider as its discovery document describes it, with this server as its client. */
export function findProvider(
  settings: SignOnSettings,
  now: number,
  correlationId: string,
): Promise<Answer<oidc.Configuration>> {
  return ask(correlationId, async () => {
    const { issuer, clientId, clientSecret } = settings;
    const isPlain = new URL(issuer).protocol === "http:";
    if (known === undefined || known.issuer !== issuer || known.until <= now) {
      const discovered = await oidc.discovery(new URL(issuer), clientId, clientSecret, undefined, {
        timeout: TIMEOUT_S,
        execute: isPlain ? [oidc.allowInsecureRequests] : [],
      });
      known = { issuer, metadata: discovered.serverMetadata(), until: now + METADATA_MS };
    }
    const { metadata } = known;
    const provider = new oidc.Configuration(
      metadata,
      clientId,
      clientSecret,
      authentication(metadata, clientSecret),
    );
    provider.timeout = TIMEOUT_S;
    oidc.enableNonRepudiationChecks(provider);
    if (isPlain) oidc.allowInsecureRequests(provider);
    return provider;
  });
}

/**
 * Sends the secret in the body if the provider allows that, because some decode a secret in a header differently from
 * RFC 6749, section 2.3.1.
 */
function authentication(metadata: oidc.ServerMetadata, secret: string): oidc.ClientAuth {
  const inBody = metadata.token_endpoint_auth_methods_supported?.includes("client_secret_post") ?? false;
  return inBody ? oidc.ClientSecretPost(secret) : oidc.ClientSecretBasic(secret);
}

/** Values that must match when the person comes back. */
export interface Expected {
  state: string;
  nonce: string;
  verifier: string;
}

/** Returns the URL to send the person to, and the values to expect in the answer. */
export async function authorizationRequest(
  provider: oidc.Configuration,
  { state, redirectUri, scope }: { state: string; redirectUri: string; scope: string },
): Promise<{ url: string; expected: Expected }> {
  const nonce = oidc.randomNonce();
  const verifier = oidc.randomPKCECodeVerifier();
  const url = oidc.buildAuthorizationUrl(provider, {
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  return { url: url.href, expected: { state, nonce, verifier } };
}

/**
 * Returns the provider's claims about the person who came back at `url`. Claims of the id token override those of
 * userinfo.
 */
export function redeem(
  provider: oidc.Configuration,
  url: URL,
  { state, nonce, verifier }: Expected,
  correlationId: string,
): Promise<Answer<Claims>> {
  return ask(correlationId, async () => {
    const tokens = await oidc.authorizationCodeGrant(provider, url, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
    });
    const claims = tokens.claims();
    if (claims === undefined) throw new Error("openid-client let an answer pass without an id token");
    // Many providers give names and groups only in userinfo.
    const hasMore = provider.serverMetadata().userinfo_endpoint !== undefined;
    const more = hasMore ? await oidc.fetchUserInfo(provider, tokens.access_token, claims.sub) : {};
    return { ...more, ...claims };
  });
}

async function ask<T>(correlationId: string, work: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    // Fetch the document again at the next try, because it may be what was wrong.
    if (problem !== "declined") known = undefined;
    logEvent(problem === "declined" ? "sign_on_declined" : "sign_on_problem", {
      correlation_id: correlationId,
      problem,
      cause: foreignText(causeOf(error)),
    });
    return { ok: false, problem };
  }
}

/** Codes of openid-client for answers that do not come from a provider. */
const NO_ANSWER = new Set([
  "OAUTH_TIMEOUT",
  "OAUTH_ABORT",
  "OAUTH_RESPONSE_IS_NOT_CONFORM",
  "OAUTH_RESPONSE_IS_NOT_JSON",
  "OAUTH_PARSE_ERROR",
]);

/** Returns undefined if the error is not the provider's fault. */
function problemOf(error: unknown): ProviderProblem | undefined {
  if (error instanceof oidc.AuthorizationResponseError) {
    if (error.error === "access_denied") return "declined";
    return ["server_error", "temporarily_unavailable"].includes(error.error) ? "unavailable" : "refused";
  }
  if (error instanceof oidc.ResponseBodyError) return error.status >= 500 ? "unavailable" : "refused";
  if (error instanceof oidc.WWWAuthenticateChallengeError) return "refused";
  if (error instanceof oidc.ClientError) {
    return error.code === undefined || NO_ANSWER.has(error.code) ? "unavailable" : "refused";
  }
  // fetch throws a TypeError if there is no connection; the library's own errors have a code.
  return error instanceof TypeError && !("code" in error) ? "unavailable" : undefined;
}

/** For the log. Never logs a whole error, because its causes hold tokens and claims. */
function causeOf(error: unknown): string {
  if (error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError) {
    return `${error.error}: ${error.error_description ?? ""}`;
  }
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause instanceof Error ? error.cause.message : error.message;
  return inner === error.message ? inner : `${error.message}: ${inner}`;
}
