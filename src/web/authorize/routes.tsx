import {
  AuthorizationError,
  CimdFetchError,
  authorizationErrorRedirect,
} from "@cloudflare/workers-oauth-provider";
import { Hono } from "hono/tiny";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { within } from "../../deadlines.ts";
import { signOnSettings } from "../../env.ts";
import { sessionUser } from "../../identity/browser-session.ts";
import { NOBODY, consentPage } from "./consent-page.tsx";
import { credentialId } from "../../identity/credentials.ts";
import { completeGrant, grantedScopes } from "../../identity/grants.ts";
import { nextPath, signInPath } from "../layout/next-path.ts";
import { authorizationServer, grantsOf } from "../../identity/oauth.ts";
import { guardPages, readForm, textOf } from "../layout/form-guards.ts";
import { problemPage, redirectTo } from "../layout/page.tsx";
import { ALL_SCOPES } from "../../identity/scopes.ts";
import { REDIRECT_URI_FORMS, isAllowedRedirectUri } from "../../identity/redirect-uris.ts";
import { findProvider } from "../../identity/sign-on/provider.ts";
import { sendToProvider, unavailablePage } from "../sign-on/start.tsx";

/** The consent page of OAuth. No client gets access without it. */
export const authorizePages = new Hono<AppTypes>();

guardPages(authorizePages, ["/authorize"]);

authorizePages.get("/authorize", async (c) => {
  const oauth = authorizationServer(c.var).getOAuthApi(c.env);
  const clientId = c.req.query("client_id") ?? "";
  const isDescribed = /^https:/i.test(clientId);
  if (isDescribed && c.var.settings.CLIENT_METADATA_DOCUMENTS === "off") return notFetchedPage();
  try {
    const parse = () => oauth.parseAuthRequest(c.req.raw);
    const request = await (isDescribed ? withinFetch(c, clientId, parse) : parse());
    // A client's own description may list any address, and so may a registration from before addresses were checked.
    if (!isAllowedRedirectUri(request.redirectUri))
      return startOver(`The app's address is not allowed: it must be ${REDIRECT_URI_FORMS}.`);
    const { pathname, search } = new URL(c.req.url);
    const path = pathname + search;
    const signedIn = await sessionUser(c);
    const signOn = signOnSettings(c.var.settings);
    const canAsk = signedIn !== undefined || signOn !== undefined;
    // The way back would be lost, and the client would wait for an answer.
    if (!canAsk && nextPath(path) !== path)
      return problemPage(
        "The authorization request is too long.",
        <p>Sign in at /account first, then try again.</p>,
      );
    if (!canAsk) return c.redirect(signInPath(path), 303);
    const details = await oauth.describeConsent(request);
    const consent = await oauth.beginConsent(request);
    return await consentPage(details, { ...consent, path, signedIn, signOn });
  } catch (error) {
    // Nobody has consented yet. Anyone may register an address, so redirecting here would be an open redirect (RFC
    // 9700, 4.11).
    return problemWithRequest(error);
  }
});

/** Milliseconds that fetching a client's description may take. */
const FETCH_MS = 6_000;
/** Milliseconds before the request's own deadline, so that the page can name the reason. */
const PAGE_MS = 1_000;

function withinFetch<T>(c: AppContext, clientId: string, work: () => Promise<T>): Promise<T> {
  const late = () => {
    throw new CimdFetchError(clientId, new Error("no answer in time"));
  };
  return within(Math.max(1, Math.min(FETCH_MS, c.var.deadline.remaining() - PAGE_MS)), work, late);
}

authorizePages.post("/authorize", async (c) => {
  const form = await readForm(c);
  const [boundTo = "", handle = ""] = textOf(form, "handle").split(" ");
  try {
    return await (boundTo === NOBODY
      ? decideBeforeSignOn(c, form, handle)
      : decide(c, form, handle, boundTo));
  } catch (error) {
    return authorizationProblem(error);
  }
});

/** Handles the decision of a person who is signed in. */
async function decide(c: AppContext, form: FormData, handle: string, boundTo: string): Promise<Response> {
  const oauth = authorizationServer(c.var).getOAuthApi(c.env);
  const signedIn = await sessionUser(c);
  if (signedIn === undefined) return startOver("Your session has ended.", 401);
  // The page was made for one sign-in; somebody else may have signed in in another tab since.
  if (handle !== "" && boundTo !== credentialId(signedIn.credential)) {
    return startOver("You have signed in again since this page was opened.");
  }
  if (form.get("decision") !== "allow") return deny(c, handle);
  const { request, headers } = await oauth.approveConsent(c.req.raw, handle);
  return redirectTo(
    await completeGrant(grantsOf(c), request, form.getAll("scope").map(String), signedIn),
    headers,
  );
}

/**
 * Handles the decision of a person whom the provider will identify. Consent comes before the redirect: a provider that
 * remembers the person answers without a prompt, and a client that they never allowed would profit from that (confused
 * deputy, https://modelcontextprotocol.io/specification/2026-07-28/basic/security_best_practices).
 */
async function decideBeforeSignOn(c: AppContext, form: FormData, handle: string): Promise<Response> {
  const oauth = authorizationServer(c.var).getOAuthApi(c.env);
  if (form.get("decision") !== "allow") return deny(c, handle);
  const signOn = signOnSettings(c.var.settings);
  if (signOn === undefined) return startOver("Single sign-on is off.");
  // Looked up first: if the provider is down, the consent stays unused and the same form can be sent again.
  const provider = await findProvider(signOn, Date.now(), c.var.correlationId);
  const next = nextPath(form.get("next"));
  if (!provider.ok) return unavailablePage(signOn, { action: "/authorize", form, next });
  const { request, headers } = await oauth.approveConsent(c.req.raw, handle);
  const ticked = grantedScopes(form.getAll("scope").map(String), request.scope, ALL_SCOPES);
  if (ticked.length === 0) return redirectTo(authorizationErrorRedirect(request, "access_denied"), headers);
  const { state } = await oauth.beginUpstream(request, { data: { ticked }, headers });
  return sendToProvider(c, provider.value, { state, next, consented: true, headers });
}

async function deny(c: AppContext, handle: string): Promise<Response> {
  const oauth = authorizationServer(c.var).getOAuthApi(c.env);
  const denied = await oauth.denyConsent(c.req.raw, handle);
  return redirectTo(denied.redirectTo, denied.headers);
}

/**
 * Answers an error after a person has decided on the consent page: redirects to the client if the library has checked
 * that the address is the client's own, else shows a page. Throws errors that do not concern the authorization.
 */
export function authorizationProblem(error: unknown): Response | Promise<Response> {
  return error instanceof AuthorizationError && error.redirectTo !== undefined
    ? redirectTo(error.redirectTo)
    : problemWithRequest(error);
}

/** Shows an authorization error as a page; throws any other error. */
function problemWithRequest(error: unknown): Promise<Response> {
  if (error instanceof AuthorizationError) return startOver(error.description);
  if (error instanceof CimdFetchError)
    return problemPage(
      `The app's description could not be fetched from ${new URL(error.metadataUrl).host}.`,
      <p>
        Try again later. If this server has no way out to the internet, its operator sets{" "}
        <code>CLIENT_METADATA_DOCUMENTS=off</code>: then apps register instead. Nothing was granted.
      </p>,
    );
  throw error;
}

/** Shown to the person whose app still knows this server from when it fetched descriptions. */
const notFetchedPage = () =>
  problemPage(
    "The app names an address as its id, and this server does not fetch descriptions of apps.",
    <p>
      Remove this server from the app and add it again: the app then registers. An operator changes this with{" "}
      <code>CLIENT_METADATA_DOCUMENTS</code>. Nothing was granted.
    </p>,
  );

const startOver = (what: string, status?: 401): Promise<Response> =>
  problemPage(what, <p>Start again from your client. Nothing was granted.</p>, status);
