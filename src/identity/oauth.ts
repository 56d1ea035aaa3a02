import {
  OAuthAuthorizationServer,
  OAuthError,
  type OAuthResourceAuth,
  OAuthResourceServer,
  type OAuthResourceTokenValidation,
} from "@cloudflare/workers-oauth-provider";
import { waitUntil } from "cloudflare:workers";
import * as z from "zod";
import type { AppContext, AppTypes } from "../app-types.ts";
import { ensureMigrated, readMigrated } from "../database/migrate.ts";
import { logEvent } from "../telemetry/log.ts";
import { type FoundKey, findKey, touchKey } from "./access-keys.ts";
import { PROBLEMS, credentialSchema, findCredential } from "./credentials.ts";
import { enterpriseManagedAuthorization } from "./enterprise-authorization.ts";
import { type Grants, REFRESH_TTL_S } from "./grants.ts";
import { type IdentityClaim, KeptIdentities, type Reading } from "./kept-identities.ts";
import { type Principal, principalSchema } from "./principal.ts";
import { REDIRECT_URI_FORMS, isAllowedRedirectUri } from "./redirect-uris.ts";
import { SIGNATURE_RULES } from "./signature-profile.ts";
import { BASE_SCOPE, SCOPES, scopesOf } from "./scopes.ts";
import { hashSecret, isWholeKey, looksLikeKey } from "./secrets.ts";
import { withTokenStore } from "./token-store.ts";
import type { Found, Identified } from "./users.ts";

/** A grant stores only the credential that signed in. Roles are read when a token is used, because they may change. */
const grantSchema = credentialSchema;

/** Longer than any token. KV refuses keys made of longer ones. */
const TOKEN_MAX = 300;
/** Origins cached. Without PUBLIC_URL the Host header chooses them, so the number is bounded. */
const SERVERS_MAX = 20;

/** The identity behind a token. If a key requires signatures, so does every token that was obtained with it. */
const bearerSchema = z.strictObject({ principal: principalSchema, signature: z.enum(SIGNATURE_RULES) });
type Bearer = z.output<typeof bearerSchema>;
interface Resource {
  /** Whether an identity that this isolate has kept may be used; the caller's object must then confirm it. */
  mayBeKept: boolean;
  serve: (
    request: Request,
    bearer: Bearer,
    auth: OAuthResourceAuth,
    claim: IdentityClaim,
  ) => Promise<Response>;
  /** Called with the reason why a token could not be looked up; the library's own answer does not give one. */
  onFailure: (error: unknown) => void;
}

/** Seconds that a registration is kept after its last use. */
const REGISTRATION_TTL_S = 90 * 24 * 60 * 60;
/** Seconds that a registration is kept until the client first gets tokens. It is short because anybody may register. */
const UNUSED_REGISTRATION_TTL_S = 24 * 60 * 60;

/** Where this server is reached, and what is set. */
export type Setup = Pick<AppTypes["Variables"], "origin" | "settings">;

/** Creates the authorization server of one origin. Its one resource is that origin's /mcp. */
function createAuthorizationServer(
  { origin, settings }: Setup,
  clientRegistrationTTL: number,
): OAuthAuthorizationServer<Env> {
  return new OAuthAuthorizationServer<Env>({
    issuer: origin,
    resources: [`${origin}/mcp`],
    scopesSupported: [...Object.keys(SCOPES), "offline_access"],
    clientIdMetadataDocumentEnabled: settings.CLIENT_METADATA_DOCUMENTS === "on",
    ...(settings.ENTERPRISE_AUTHORIZATION === "on" && { enterpriseManagedAuthorization }),
    clientRegistrationEndpoint: "/oauth/register",
    clientRegistrationTTL,
    clientRegistrationCallback: ({ clientMetadata }) => {
      const uris = redirectUrisSchema.safeParse(clientMetadata);
      // A client may also list a plain http address. No code is ever sent there (web/authorize/routes.tsx).
      if (
        uris.success &&
        uris.data.redirect_uris.every((uri) => isAllowedRedirectUri(uri) || isPlainHttp(uri))
      )
        return undefined;
      return { code: "invalid_redirect_uri", description: `A redirect URI must be ${REDIRECT_URI_FORMS}.` };
    },
    // Cursor registers cursor:// beside its https redirect and cannot sign in without this.
    allowPrivateUseRedirectUris: true,
    // The library would write a line of its own. Answers are logged with the request's name in
    // src/http/oauth-refusal.ts. Those to assertions do not say which check failed.
    onError: ({ internal }) => {
      if (internal.category === "enterprise-managed-authorization")
        logEvent("assertion_refused", { reason: internal.reason });
    },
    // A grant ends with the credential behind it, at the next refresh as at the next call.
    tokenExchangeCallback: async ({ props, env }) => {
      await ensureMigrated(env.DB);
      const found = await findCredential(env.DB, grantSchema.parse(props), Date.now());
      if (!found.ok) throw new OAuthError("invalid_grant", { description: PROBLEMS[found.problem] });
    },
    refreshTokenTTL: REFRESH_TTL_S,
    refreshTokenIdleTTL: REFRESH_TTL_S,
  });
}

const isPlainHttp = (uri: string): boolean => /^http:/i.test(uri);

const redirectUrisSchema = z.object({ redirect_uris: z.array(z.string()) });

const servers = new Map<
  string,
  { server: OAuthAuthorizationServer<Env>; registrar: OAuthAuthorizationServer<Env> }
>();

function serversOf(setup: Setup) {
  const { CLIENT_METADATA_DOCUMENTS, ENTERPRISE_AUTHORIZATION } = setup.settings;
  const name = [setup.origin, CLIENT_METADATA_DOCUMENTS, ENTERPRISE_AUTHORIZATION].join(" ");
  let both = servers.get(name);
  if (both === undefined) {
    if (servers.size >= SERVERS_MAX) servers.clear();
    both = {
      server: createAuthorizationServer(setup, REGISTRATION_TTL_S),
      registrar: createAuthorizationServer(setup, UNUSED_REGISTRATION_TTL_S),
    };
    servers.set(name, both);
  }
  return both;
}

export const authorizationServer = (setup: Setup): OAuthAuthorizationServer<Env> => serversOf(setup).server;

const secretExpirySchema = z.looseObject({ client_secret_expires_at: z.number().optional() });

/**
 * Registers a client for a day. The library renews a registration past half of its lifetime when the client gets
 * tokens, and the server that answers token requests has a longer lifetime, so the first tokens extend the
 * registration.
 */
export async function registerClient(c: AppContext): Promise<Response> {
  const response = await serversOf(c.var).registrar.fetch(c.req.raw, c.env, c.env.ctx);
  if (response.status !== 201) return response;
  const registered = secretExpirySchema.parse(await response.json());
  const { client_secret_expires_at: expiresAt } = registered;
  // A client in use must not discard its secret after a day.
  const extended =
    expiresAt === undefined || expiresAt === 0
      ? registered
      : {
          ...registered,
          client_secret_expires_at: expiresAt + REGISTRATION_TTL_S - UNUSED_REGISTRATION_TTL_S,
        };
  const headers = new Headers(response.headers);
  headers.delete("Content-Length");
  return new Response(JSON.stringify(extended), { status: 201, headers });
}

export const grantsOf = (c: AppContext): Grants => ({
  oauth: authorizationServer(c.var).getOAuthApi(withTokenStore(c.env)),
  callers: c.env.USER_WINDOWS,
});

/**
 * The protected resource. It challenges callers without a token, and gives `serve` the principal of a valid one. This
 * is the one place where access keys and OAuth tokens are checked.
 */
export function protectedResource(
  setup: Setup,
  { mayBeKept, serve, onFailure }: Resource,
): OAuthResourceServer<Env, Bearer> {
  const { origin } = setup;
  let claim: IdentityClaim | undefined;
  return new OAuthResourceServer<Env, Bearer>({
    resourceMetadata: {
      resource: `${origin}/mcp`,
      authorization_servers: [origin],
      resource_name: "Product catalog",
    },
    requiredScopes: [BASE_SCOPE],
    validateToken: (env) => async (resource, token) => {
      try {
        const credential = `${resource} ${hashSecret(token)}`;
        const kept = mayBeKept ? identities.find(credential, Date.now()) : undefined;
        const found =
          kept ?? (await identities.read(credential, () => readIdentity(env, setup, resource, token)));
        ({ claim } = found);
        return found.identity;
      } catch (error) {
        if (!(error instanceof OAuthError)) onFailure(error);
        throw error;
      }
    },
    handler: {
      fetch: (request, _env, ctx) => {
        if (claim === undefined) throw new Error("The library served a request without a valid token.");
        return serve(request, bearerSchema.parse(ctx.props), ctx.auth, claim);
      },
    },
  });
}

type Validated = OAuthResourceTokenValidation<Bearer>;

/** Null stands for a token that nobody holds. It is never kept. */
const identities = new KeptIdentities<Validated | null>();

async function readIdentity(
  env: Env,
  setup: Setup,
  resource: string,
  token: string,
): Promise<Reading<Validated | null>> {
  const now = Date.now();
  const read = await readMigrated(env.DB, () =>
    looksLikeKey(token)
      ? validateKey(env, resource, token, now)
      : validateOAuth(env, setup, resource, token, now),
  );
  if (read === null) return { identity: null, readAt: now, expiresAt: 0, isKeepable: false };
  const { identity, expiresAt } = read;
  const tokenExpiresAt = identity.expiresAt === undefined ? Infinity : identity.expiresAt * 1000;
  return {
    identity,
    readAt: now,
    expiresAt: Math.min(expiresAt ?? Infinity, tokenExpiresAt),
    // A signed request reads the database for its signing key anyway.
    isKeepable: identity.props.signature !== "required",
  };
}

interface ReadCredential {
  identity: Validated;
  /** When the credential expires, in milliseconds since the epoch; null if it does not. */
  expiresAt: number | null;
}

async function validateKey(env: Env, resource: string, key: string, now: number): Promise<ReadCredential> {
  const found = isWholeKey(key)
    ? await findKey(env.DB, key, now)
    : ({ ok: false, problem: "key_malformed" } as const);
  const { user, signature, expiresAt } = orRefuse(found);
  noteUse(env, found, now);
  const scope = scopesOf(user.roles);
  const props = { principal: toPrincipal(user, "key", scope), signature };
  return { identity: { props, audience: resource, scope, userId: user.userId }, expiresAt };
}

async function validateOAuth(
  env: Env,
  setup: Setup,
  resource: string,
  token: string,
  now: number,
): Promise<ReadCredential | null> {
  if (token.length > TOKEN_MAX) return null;
  const validated = await authorizationServer(setup).validateToken<unknown>(resource, token, env);
  if (validated === null) return null;
  const credential = grantSchema.parse(validated.props);
  const { user, signature, expiresAt } = orRefuse(await findCredential(env.DB, credential, now));
  const allowed = new Set<string>(scopesOf(user.roles));
  const scope = validated.scope.filter((each) => allowed.has(each));
  const props = { principal: toPrincipal(user, "oauth", scope), signature };
  return { identity: { ...validated, props, scope }, expiresAt };
}

function orRefuse(
  found: Found | { ok: false; problem: keyof typeof PROBLEMS },
): Extract<Found, { ok: true }> {
  if (found.ok) return found;
  throw new OAuthError("invalid_token", { description: `${found.problem}: ${PROBLEMS[found.problem]}` });
}

/** Notes that a key was used, at most hourly, without delaying the answer. */
export function noteUse(env: Env, found: FoundKey | { ok: false }, now: number): void {
  if ("keyId" in found && found.touch) waitUntil(touchKey(env.DB, found.keyId, now));
}

export function toPrincipal(user: Identified, via: Principal["via"], scopes: string[]): Principal {
  const { userId, kind, roles, customerId, madeBy, isNew } = user;
  return {
    id: userId,
    kind,
    roles,
    via,
    scopes,
    ...(customerId !== undefined && { customerId }),
    ...(madeBy !== undefined && { madeBy }),
    ...(isNew && { isNew }),
  };
}
