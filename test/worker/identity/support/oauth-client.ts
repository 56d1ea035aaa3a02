import { createHash, randomBytes } from "node:crypto";
import * as z from "zod";
import { type Browser, field, signedIn } from "./browser.ts";
import { ORIGIN, form, send } from "./deployed.ts";
import { keyOf, newKey, newUser } from "./people.ts";

// A client in small steps, each of which a test can break. The official client does them correctly.

export const REDIRECT = "https://client.example/callback";

export const tokensSchema = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  scope: z.string(),
  expires_in: z.int(),
  resource: z.string().optional(),
});
export type Tokens = z.output<typeof tokensSchema>;

const clientSchema = z.object({ client_id: z.string() });

export async function register(metadata: Record<string, unknown> = {}, origin = ORIGIN): Promise<string> {
  const response = await send(`${origin}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Test client",
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: "none",
      ...metadata,
    }),
  });
  return clientSchema.parse(await response.json()).client_id;
}

export interface Flow {
  origin: string;
  clientId: string;
  verifier: string;
  /** Parameters of a good authorization request. */
  query: Record<string, string>;
}

export async function newFlow({
  scope = "catalog:read",
  origin = ORIGIN,
  metadata = {},
}: { scope?: string; origin?: string; metadata?: Record<string, unknown> } = {}): Promise<Flow> {
  const clientId = await register(metadata, origin);
  const verifier = randomBytes(32).toString("base64url");
  const query = {
    response_type: "code",
    client_id: clientId,
    redirect_uri: REDIRECT,
    scope,
    state: "the state",
    resource: `${origin}/mcp`,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  };
  return { origin, clientId, verifier, query };
}

/** Returns the URL of the authorization request with changes; undefined leaves a parameter out. */
export function authorizeUrl({ query }: Flow, changes: Record<string, string | undefined> = {}): string {
  const merged = Object.entries({ ...query, ...changes }).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
  return `/authorize?${new URLSearchParams(merged).toString()}`;
}

export async function openConsent(browser: Browser, flow: Flow): Promise<string> {
  return (await browser.request(authorizeUrl(flow))).text();
}

export async function decide(
  browser: Browser,
  html: string,
  { decision = "allow", scopes = ["catalog:read"] }: { decision?: string; scopes?: string[] } = {},
): Promise<Response> {
  return browser.post("/authorize", [
    ["handle", field(html, "handle")],
    ["next", field(html, "next")],
    ["decision", decision],
    ...scopes.map((scope): [string, string] => ["scope", scope]),
  ]);
}

/** Returns the URL that a redirect leads to. */
export const target = (response: Response): URL =>
  new URL(response.headers.get("location") ?? "missing:", ORIGIN);

export async function codeFor(browser: Browser, flow: Flow, scopes?: string[]): Promise<string> {
  const html = await openConsent(browser, flow);
  const response = await decide(browser, html, scopes === undefined ? {} : { scopes });
  return target(response).searchParams.get("code") ?? "";
}

export async function token(fields: Record<string, string>, origin = ORIGIN): Promise<Response> {
  return send(`${origin}/oauth/token`, form(fields));
}

export async function exchange(
  flow: Flow,
  code: string,
  changes: Record<string, string> = {},
): Promise<Response> {
  const good = {
    grant_type: "authorization_code",
    client_id: flow.clientId,
    code,
    redirect_uri: REDIRECT,
    code_verifier: flow.verifier,
  };
  return token({ ...good, ...changes }, flow.origin);
}

export const refresh = async (flow: Flow, refreshToken: string): Promise<Response> =>
  token({ grant_type: "refresh_token", client_id: flow.clientId, refresh_token: refreshToken });

export const tokensOf = async (response: Response): Promise<Tokens> =>
  tokensSchema.parse(await response.json());

const oauthErrorSchema = z.object({ error: z.string() });
export const errorOf = async (response: Response): Promise<string> =>
  oauthErrorSchema.parse(await response.json()).error;

/** Creates a user, a client and the tokens that the user granted it. */
export async function granted(
  roles: string[] = ["shopper"],
  scopes: string[] = ["catalog:read"],
  origin = ORIGIN,
) {
  const user = await newUser(roles);
  const browser = await signedIn((await newKey(user)).secret, origin);
  const flow = await newFlow({ scope: scopes.join(" "), origin });
  const code = await codeFor(browser, flow, scopes);
  return { user, browser, flow, code, tokens: await tokensOf(await exchange(flow, code)) };
}

/** Creates a signed-in browser of a new user, and a flow that has not begun. */
export async function ready(roles: string[] = ["shopper"], scope = "catalog:read") {
  return { browser: await signedIn(await keyOf(roles)), flow: await newFlow({ scope }) };
}
