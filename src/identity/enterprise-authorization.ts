import type { EmaIdJagClaims, EmaOptions } from "@cloudflare/workers-oauth-provider";
import { CallerClient } from "../caller/caller-client.ts";
import { Unreachable } from "../unreachable.ts";
import { ensureMigrated } from "../database/migrate.ts";
import { readSettings, signOnSettings } from "../env.ts";
import { noteIdentity } from "./changes.ts";
import { findCredential } from "./credentials.ts";
import { type SignOn, linkedIdentity, recordSignOn } from "./external-identities.ts";
import { connectionOf } from "./grants.ts";
import { SIGN_ON } from "./lineage.ts";
import { scopesOf } from "./scopes.ts";
import { signOnPolicy } from "./sign-on-policy.ts";
import { bringsRole, personOf, userIdOf } from "./sign-on/person.ts";
import { findProvider } from "./sign-on/provider.ts";

// Enterprise-managed authorization: the sign-in provider asserts who uses a client (an ID-JAG), and the token endpoint
// exchanges the assertion for a token. The OAuth library checks signature, audience, client, resource and times.

/** Seconds that the library accepts an assertion after its expiry. */
const CLOCK_SKEW_S = 60;
const MAX_LIFETIME_S = 300;

/** One token request, as the library's callbacks see it: they get its Request, and can only accept or deny. */
export interface Exchange {
  correlationId: string;
  /** The error that made a callback deny; not set if the assertion itself was refused. */
  failure?: unknown;
}
const exchanges = new WeakMap<Request, Exchange>();

/** Must be called with the request before the library gets it. */
export function beginExchange(request: Request, correlationId: string): Exchange {
  const exchange = { correlationId };
  exchanges.set(request, exchange);
  return exchange;
}

/** The library's options while ENTERPRISE_AUTHORIZATION is on. */
export const enterpriseManagedAuthorization: EmaOptions<Env> = {
  clockSkewSeconds: CLOCK_SKEW_S,
  maxAssertionLifetimeSeconds: MAX_LIFETIME_S,
  trustedIssuers: ({ iss, env, request }) => orDeny(request, (exchange) => trusted(iss, env, exchange)),
  mapClaims: ({ claims, clientInfo, requestedScope, request, env }) =>
    orDeny(request, (exchange) => grantFor(claims, { client: clientInfo, requestedScope, env, exchange })),
};

/** The library would answer an error like a bad assertion, so the error is kept for src/app.ts. */
async function orDeny<T>(
  request: Request,
  work: (exchange: Exchange) => Promise<T | null>,
): Promise<T | null> {
  const exchange = exchanges.get(request);
  if (exchange === undefined) throw new Error("beginExchange was not called");
  try {
    return await work(exchange);
  } catch (error) {
    exchange.failure = error;
    return null;
  }
}

/** Returns the keys of the one provider that is trusted, the one that people sign in with. */
async function trusted(iss: string, env: Env, { correlationId }: Exchange) {
  const read = readSettings(env);
  const signOn = read.ok ? signOnSettings(read.settings) : undefined;
  if (signOn?.issuer !== iss) return null;
  const provider = await findProvider(signOn, Date.now(), correlationId);
  if (!provider.ok)
    throw new Unreachable("The sign-in provider can't be reached.", { cause: provider.problem });
  const jwksUri = provider.value.serverMetadata().jwks_uri;
  return jwksUri === undefined ? null : { issuer: iss, jwksUri, algorithms: ["RS256", "ES256"] };
}

interface Asked {
  client: Parameters<typeof connectionOf>[0];
  /** The scopes of the request and the assertion; those in both if both name some. */
  requestedScope: readonly string[];
  env: Env;
  exchange: Exchange;
}

/** Returns the grant for a checked assertion; null if the person may not use this server, or not for these scopes. */
async function grantFor(claims: EmaIdJagClaims, { client, requestedScope, env, exchange }: Asked) {
  const now = Date.now();
  await ensureMigrated(env.DB);
  // The library's own check for replays reads and writes KV, so two requests at once can both pass it.
  const userId = userIdOf({ issuer: claims.iss, subject: claims.sub });
  const spent = await new CallerClient(env.USER_WINDOWS, userId).consumeNonce({
    keyId: "id-jag",
    nonce: claims.jti,
    expiresAt: (claims.exp + CLOCK_SKEW_S) * 1000,
    requestId: exchange.correlationId,
  });
  if (spent.status !== "fresh") return null;
  const signOn = await signOnBy(claims, env, now);
  if (!signOn.ok) return null;
  const credential = { identityId: signOn.identityId };
  const found = await findCredential(env.DB, credential, now);
  if (!found.ok) return null;

  const allowed = scopesOf(found.user.roles);
  // If neither the provider nor the client names scopes, the roles are the only limit.
  const isUnlimited = requestedScope.length === 0 && claims.scope === undefined;
  const scope = isUnlimited ? allowed : allowed.filter((each) => requestedScope.includes(each));
  if (scope.length === 0) return null;
  const { shownId, metadata } = connectionOf(client);
  const change = { change: "client_allowed", by: SIGN_ON, client: shownId } as const;
  await noteIdentity(env.USER_WINDOWS, found.user.userId, change, "before");
  return { userId: found.user.userId, scope, metadata, props: credential };
}

/**
 * Records the assertion like a sign-in if it holds the person's groups. Many providers leave them out; then the last
 * sign-in counts, for as long as it is valid, because a missing claim must not take everybody's roles.
 */
async function signOnBy(claims: EmaIdJagClaims, env: Env, now: number): Promise<SignOn> {
  const person = personOf(claims, signOnPolicy);
  const linked = await linkedIdentity(env.DB, person);
  const { roles_claim, customer_id_claim, valid_days } = signOnPolicy;
  if (claims[roles_claim] === undefined && linked !== undefined) return { ok: true, identityId: linked.id };
  const isNamed = ["name", "preferred_username", "email"].some((claim) => claims[claim] !== undefined);
  const isCustomerNamed = customer_id_claim !== undefined && claims[customer_id_claim] !== undefined;
  const known = {
    ...person,
    ...(!isNamed && linked !== undefined && { name: linked.name }),
    ...(!isCustomerNamed && { customerId: undefined }),
  };
  return recordSignOn(env.DB, known, {
    callers: env.USER_WINDOWS,
    validDays: valid_days,
    bringsAdmin: bringsRole(signOnPolicy, "admin"),
    now,
  });
}
