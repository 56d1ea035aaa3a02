import {
  AuthorizationError,
  CimdFetchError,
  authorizationErrorRedirect,
  type ConsentDescription,
} from "@cloudflare/workers-oauth-provider";
import { Hono } from "hono";
import { csrf } from "hono/csrf";
import type { AppContext, AppTypes } from "../app-types.ts";
import { ensureMigrated } from "../database/migrate.ts";
import { sessionUser, signIn, signOut } from "./browser-session.ts";
import { type GrantProps, authorizationServer, noteUse } from "./oauth.ts";
import { STYLE_PATH, renderPage, serveStyle } from "./page.tsx";
import { BASE_SCOPE, SCOPES, type Scope, scopesOf } from "./scopes.ts";
import { isWholeKey } from "./secrets.ts";
import { type Identified, findKey } from "./users.ts";
import { clip, plainLine } from "../text/plain-text.ts";

/** Sign-in by access key, and the consent page of OAuth. */
export const signInPages = new Hono<AppTypes>();

signInPages.get(STYLE_PATH, serveStyle);
for (const path of ["/sign-in", "/sign-out", "/authorize"]) {
  // The origin that clients use, which behind a PUBLIC_URL need not be the request's own.
  signInPages.use(path, csrf({ origin: (origin, c: AppContext) => origin === c.var.origin }));
  signInPages.use(path, async (c, next) => {
    await ensureMigrated(c.env.DB);
    await next();
  });
}

signInPages.get("/sign-in", (c) => signInPage(nextPath(c.req.query("next"))));

signInPages.post("/sign-in", async (c) => {
  const form = await c.req.parseBody().catch((): Record<string, unknown> => ({}));
  const key = typeof form["key"] === "string" ? form["key"].trim() : "";
  const next = nextPath(form["next"]);
  const now = Date.now();
  const found = isWholeKey(key) ? await findKey(c.env.DB, key, now) : undefined;
  // One answer for every bad key: a page tells nobody which keys there were.
  if (found?.ok !== true) return signInPage(next, "This access key is not valid.");
  noteUse(c.env, found, now);
  await signIn(c, found);
  return c.redirect(next, 303);
});

signInPages.post("/sign-out", async (c) => {
  await signOut(c);
  return c.redirect("/sign-in", 303);
});

signInPages.get("/authorize", async (c) => {
  const oauth = authorizationServer(c.var.origin).getOAuthApi(c.env);
  try {
    const request = await oauth.parseAuthRequest(c.req.raw);
    const { pathname, search } = new URL(c.req.url);
    const signInUrl = `/sign-in?next=${encodeURIComponent(pathname + search)}`;
    const signedIn = await sessionUser(c);
    if (signedIn === undefined) return c.redirect(signInUrl, 303);
    const details = await oauth.describeConsent(request);
    const consent = await oauth.beginConsent(request);
    return await consentPage(details, { ...signedIn, signInUrl, ...consent });
  } catch (error) {
    return authorizationProblem(error);
  }
});

signInPages.post("/authorize", async (c) => {
  const oauth = authorizationServer(c.var.origin).getOAuthApi(c.env);
  // What is no form has no decision in it, and is declined.
  const form = await c.req.raw
    .clone()
    .formData()
    .catch(() => new FormData());
  const posted = form.get("handle");
  const [boundKey, handle = ""] = typeof posted === "string" ? posted.split(" ") : [];
  try {
    const signedIn = await sessionUser(c);
    if (signedIn === undefined)
      return await signInPage("/", "Your session has ended. Begin again from your client.");
    const { user, keyId } = signedIn;
    // The page was drawn for one sign-in; another tab may have signed somebody else in since.
    if (handle !== "" && boundKey !== keyId) {
      return await problemPage("You have signed in anew since this page was drawn.");
    }
    if (form.get("decision") !== "allow") {
      const denied = await oauth.denyConsent(c.req.raw, handle);
      return new Response(null, { status: 303, headers: denied.headers });
    }
    const approved = await oauth.approveConsent(c.req.raw, handle);
    const scope = grantedScopes(form.getAll("scope").map(String), approved.request.scope, user);
    // To allow nothing is to decline: a token without a scope would be refused at every call.
    if (scope.length === 0) {
      approved.headers.set("Location", authorizationErrorRedirect(approved.request, "access_denied"));
      return new Response(null, { status: 303, headers: approved.headers });
    }
    const props: GrantProps = { keyId };
    const { redirectTo } = await oauth.completeAuthorization({
      request: approved.request,
      userId: user.userId,
      metadata: {},
      scope,
      props,
    });
    approved.headers.set("Location", redirectTo);
    return new Response(null, { status: 303, headers: approved.headers });
  } catch (error) {
    return authorizationProblem(error);
  }
});

/** What a client asks for; the base scope where it names none. */
const asked = (requested: readonly string[]): readonly string[] =>
  requested.length === 0 ? [BASE_SCOPE] : requested;

/** What was ticked, of what the client asked for and the user's roles allow: a form is not believed beyond that. */
function grantedScopes(ticked: readonly string[], requested: readonly string[], user: Identified): string[] {
  const offered = new Set<string>(scopesOf(user.roles).filter((scope) => asked(requested).includes(scope)));
  const granted = ticked.filter((scope) => offered.has(scope));
  const stays = granted.length > 0 && requested.includes("offline_access");
  return stays ? [...granted, "offline_access"] : granted;
}

/** Only a path of this server: a sign-in must not end on somebody else's page. */
function nextPath(next: unknown): string {
  // Parsed as a browser would: that drops tabs and turns backslashes round before it looks.
  const base = "http://this.server";
  const url = typeof next === "string" && URL.canParse(next, base) ? new URL(next, base) : new URL(base);
  // "/.//evil.example" comes out as "//evil.example", which a browser takes for a host.
  return url.origin === base && !url.pathname.startsWith("//") ? url.pathname + url.search : "/";
}

function signInPage(next: string, problem?: string): Promise<Response> {
  const describedBy = problem === undefined ? "key-hint" : "key-problem key-hint";
  return renderPage(
    "Sign in to the product catalog",
    <form method="post" action="/sign-in">
      <input type="hidden" name="next" value={next} />
      <label for="key">Access key</label>
      <input
        id="key"
        type="password"
        name="key"
        required
        autofocus
        autocomplete="current-password"
        autocapitalize="off"
        spellcheck={false}
        aria-describedby={describedBy}
        aria-invalid={problem !== undefined}
      />
      {problem !== undefined && (
        <p class="bad" id="key-problem" role="alert">
          {problem}
        </p>
      )}
      <p class="quiet" id="key-hint">
        It begins with <code>pcm_</code>. Whoever runs this server can give you one.
      </p>
      <div class="actions">
        <button class="main">Sign in</button>
      </div>
    </form>,
    { status: problem === undefined ? 200 : 401 },
  );
}

const NAME_MAX = 80;

interface Asked {
  user: Identified;
  keyId: string;
  /** Where somebody else signs in and comes back to the same request. */
  signInUrl: string;
  handle: string;
  headers: Headers;
}

function consentPage(
  details: ConsentDescription,
  { user, keyId, signInUrl, handle, headers }: Asked,
): Promise<Response> {
  const allowed = scopesOf(user.roles);
  const requested = asked(details.scope);
  const offered = allowed.filter((scope) => requested.includes(scope));
  // The app chose its name: no length of it may push the rest out of sight, no mark in it turn the line around.
  const name = clip(plainLine(details.clientName), NAME_MAX) || details.clientId;
  const { protocol } = new URL(details.redirectUri);
  // In a link of an app's own scheme any app may have put any host.
  const isWeb = protocol === "https:" || protocol === "http:";
  return renderPage(
    `Let ${name} use the product catalog?`,
    <form method="post" action="/authorize">
      <p>
        {details.clientDomain === undefined ? (
          "The app gave its name itself; nobody has checked it."
        ) : (
          <>
            The app is published by <strong>{details.clientDomain}</strong>.
          </>
        )}
      </p>
      <dl>
        <dt>Signed in as</dt>
        <dd>
          {user.userId} <a href={signInUrl}>Not you?</a>
        </dd>
        <dt>Access goes to</dt>
        <dd>{isWeb ? details.redirectHost : `the app that opens ${protocol} links`}</dd>
      </dl>
      {(details.redirectIsLoopback || !isWeb) && (
        <p class="warn">
          That is an app on your own {isWeb ? "computer" : "device"}. Go on only if you have just begun to
          sign in from it.
        </p>
      )}
      {offered.length === 0 ? (
        <p class="bad">Your roles allow none of what it asks for.</p>
      ) : (
        <fieldset>
          <legend>It may</legend>
          {offered.map((scope: Scope) => (
            <label class="choice">
              <input type="checkbox" name="scope" value={scope} checked />
              <span>
                {SCOPES[scope]} <small>{scope}</small>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      <input type="hidden" name="handle" value={`${keyId} ${handle}`} />
      <div class="actions">
        {offered.length > 0 && (
          <button class="main" name="decision" value="allow">
            Allow
          </button>
        )}
        <button name="decision" value="deny">
          Deny
        </button>
      </div>
    </form>,
    { headers, formTarget: formTarget(details.redirectUri) },
  );
}

/** A policy can't name an IPv6 address or a host of odd characters, so those are named by their scheme. */
function formTarget(redirectUri: string): string {
  const { origin, protocol, hostname } = new URL(redirectUri);
  return origin !== "null" && /^[a-z0-9.-]+$/.test(hostname) ? origin : protocol;
}

/** Back to the client where the library has checked that it is the client's own address, else a page. */
function authorizationProblem(error: unknown): Response | Promise<Response> {
  if (error instanceof AuthorizationError && error.redirectTo !== undefined) {
    return new Response(null, { status: 303, headers: { Location: error.redirectTo } });
  }
  if (error instanceof AuthorizationError || error instanceof CimdFetchError) {
    const what =
      error instanceof AuthorizationError ? error.description : "The app's description could not be fetched.";
    return problemPage(what);
  }
  throw error;
}

function problemPage(what: string): Promise<Response> {
  return renderPage(
    "This sign-in can't go on",
    <>
      <p class="bad">{what}</p>
      <p>Begin again from your client. Nothing was granted.</p>
    </>,
    { status: 400 },
  );
}
