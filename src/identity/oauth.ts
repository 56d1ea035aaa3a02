import {
  OAuthAuthorizationServer,
  OAuthError,
  type OAuthResourceAuth,
  OAuthResourceServer,
  type OAuthResourceTokenValidation,
} from "@cloudflare/workers-oauth-provider";
import { waitUntil } from "cloudflare:workers";
import * as z from "zod";
import type { AppContext } from "../app-types.ts";
import { ensureMigrated } from "../database/migrate.ts";
import { type FoundKey, findKey, touchKey } from "./access-keys.ts";
import { PROBLEMS, credentialSchema, findCredential } from "./credentials.ts";
import { type Grants, REFRESH_TTL_S } from "./grants.ts";
import { type Principal, principalSchema } from "./principal.ts";
import { REDIRECT_URI_FORMS, isAllowedRedirectUri } from "./redirect-uris.ts";
import { SIGNATURE_RULES } from "./signature-profile.ts";
import { BASE_SCOPE, SCOPES, scopesOf } from "./scopes.ts";
import { isWholeKey, looksLikeKey } from "./secrets.ts";
import type { Found, Identified } from "./users.ts";

/** What a grant keeps: the name of what signed in, nothing that may change. Roles are read when a token is used. */
const grantSchema = credentialSchema;

/** Longer than any token; KV refuses keys made of longer ones. */
const TOKEN_MAX = 300;
/** Origins remembered; a Host header chooses them, where no PUBLIC_URL does. */
const SERVERS_MAX = 20;

/** What a token leads to. Where a key asks for signatures, so does every token that was got with it. */
const bearerSchema = z.strictObject({ principal: principalSchema, signature: z.enum(SIGNATURE_RULES) });
type Bearer = z.output<typeof bearerSchema>;
interface Resource {
  serve: (request: Request, bearer: Bearer, auth: OAuthResourceAuth) => Promise<Response>;
  /** Told why a token could not be looked up; the library's own answer to that says nothing. */
  onFailure: (error: unknown) => void;
}

/** Seconds that a registration is kept after it was last used. */
const REGISTRATION_TTL_S = 90 * 24 * 60 * 60;
/** Seconds that a registration is kept until a client first gets tokens with it: anybody may register. */
const UNUSED_REGISTRATION_TTL_S = 24 * 60 * 60;

/** The authorization server of one origin, whose one resource is its /mcp. */
function createAuthorizationServer(
  origin: string,
  clientRegistrationTTL: number,
): OAuthAuthorizationServer<Env> {
  return new OAuthAuthorizationServer<Env>({
    issuer: origin,
    resources: [`${origin}/mcp`],
    scopesSupported: [...Object.keys(SCOPES), "offline_access"],
    clientIdMetadataDocumentEnabled: true,
    clientRegistrationEndpoint: "/oauth/register",
    clientRegistrationTTL,
    clientRegistrationCallback: ({ clientMetadata }) => {
      const uris = redirectUrisSchema.safeParse(clientMetadata);
      // A client may list an address of plain http beside its others. No code is ever sent there (authorize-pages.tsx).
      if (
        uris.success &&
        uris.data.redirect_uris.every((uri) => isAllowedRedirectUri(uri) || isPlainHttp(uri))
      )
        return undefined;
      return { code: "invalid_redirect_uri", description: `A redirect URI must be ${REDIRECT_URI_FORMS}.` };
    },
    // Cursor registers cursor:// beside its https redirect; without this it can't sign in at all.
    allowPrivateUseRedirectUris: true,
    // Answers are logged where they leave, with the request's name: src/http/oauth-refusal.ts. By default the library writes a line.
    onError: () => {},
    // What was granted ends with the credential that granted it, at the next refresh as at the next call.
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

function serversOf(origin: string) {
  let both = servers.get(origin);
  if (both === undefined) {
    if (servers.size >= SERVERS_MAX) servers.clear();
    both = {
      server: createAuthorizationServer(origin, REGISTRATION_TTL_S),
      registrar: createAuthorizationServer(origin, UNUSED_REGISTRATION_TTL_S),
    };
    servers.set(origin, both);
  }
  return both;
}

export const authorizationServer = (origin: string): OAuthAuthorizationServer<Env> =>
  serversOf(origin).server;

const secretExpirySchema = z.looseObject({ client_secret_expires_at: z.number().optional() });

/**
 * Registers a client for a day. The library renews a registration past half of its time when the client gets tokens, and the
 * server that answers token requests keeps registrations for longer: so the first tokens make a registration last.
 */
export async function registerClient(c: AppContext): Promise<Response> {
  const response = await serversOf(c.var.origin).registrar.fetch(c.req.raw, c.env, c.env.ctx);
  if (response.status !== 201) return response;
  const registered = secretExpirySchema.parse(await response.json());
  const { client_secret_expires_at: expiresAt } = registered;
  // A client in use must not throw its secret away after a day.
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
  oauth: authorizationServer(c.var.origin).getOAuthApi(c.env),
  callers: c.env.USER_WINDOWS,
});

/**
 * The protected resource: it challenges callers without a token, and gives `serve` the principal of a valid one. Access keys
 * and OAuth tokens are checked here, in one place.
 */
export function protectedResource(
  origin: string,
  { serve, onFailure }: Resource,
): OAuthResourceServer<Env, Bearer> {
  return new OAuthResourceServer<Env, Bearer>({
    resourceMetadata: {
      resource: `${origin}/mcp`,
      authorization_servers: [origin],
      resource_name: "Product catalog",
    },
    requiredScopes: [BASE_SCOPE],
    validateToken: (env) => async (resource, token) => {
      try {
        await ensureMigrated(env.DB);
        return await (looksLikeKey(token)
          ? validateKey(env, resource, token)
          : validateOAuth(env, origin, resource, token));
      } catch (error) {
        if (!(error instanceof OAuthError)) onFailure(error);
        throw error;
      }
    },
    handler: { fetch: (request, _env, ctx) => serve(request, bearerSchema.parse(ctx.props), ctx.auth) },
  });
}

type Validated = OAuthResourceTokenValidation<Bearer>;

async function validateKey(env: Env, resource: string, key: string): Promise<Validated> {
  const now = Date.now();
  const found = isWholeKey(key)
    ? await findKey(env.DB, key, now)
    : ({ ok: false, problem: "key_malformed" } as const);
  const { user, signature } = orRefuse(found);
  noteUse(env, found, now);
  const scope = scopesOf(user.roles);
  return {
    props: { principal: toPrincipal(user, "key", scope), signature },
    audience: resource,
    scope,
    userId: user.userId,
  };
}

async function validateOAuth(
  env: Env,
  origin: string,
  resource: string,
  token: string,
): Promise<Validated | null> {
  if (token.length > TOKEN_MAX) return null;
  const validated = await authorizationServer(origin).validateToken<unknown>(resource, token, env);
  if (validated === null) return null;
  const credential = grantSchema.parse(validated.props);
  const { user, signature } = orRefuse(await findCredential(env.DB, credential, Date.now()));
  const allowed = new Set<string>(scopesOf(user.roles));
  const scope = validated.scope.filter((each) => allowed.has(each));
  return { ...validated, props: { principal: toPrincipal(user, "oauth", scope), signature }, scope };
}

function orRefuse(
  found: Found | { ok: false; problem: keyof typeof PROBLEMS },
): Extract<Found, { ok: true }> {
  if (found.ok) return found;
  throw new OAuthError("invalid_token", { description: `${found.problem}: ${PROBLEMS[found.problem]}` });
}

/** Writes down that a key was used, at most hourly, while the answer is under way. */
export function noteUse(env: Env, found: FoundKey | { ok: false }, now: number): void {
  if ("keyId" in found && found.touch) waitUntil(touchKey(env.DB, found.keyId, now));
}

export function toPrincipal(user: Identified, via: Principal["via"], scopes: string[]): Principal {
  const { userId, kind, roles, customerId, madeBy } = user;
  return {
    id: userId,
    kind,
    roles,
    via,
    scopes,
    ...(customerId !== undefined && { customerId }),
    ...(madeBy !== undefined && { madeBy }),
  };
}
