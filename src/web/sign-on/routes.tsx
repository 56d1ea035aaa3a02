import { authorizationErrorRedirect } from "@cloudflare/workers-oauth-provider";
import { Hono } from "hono/tiny";
import * as oidc from "openid-client";
import * as z from "zod";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { type SignOnSettings, signOnSettings } from "../../env.ts";
import { authorizationProblem } from "../authorize/routes.tsx";
import { signIn } from "../../identity/browser-session.ts";
import { recordSignOn } from "../../identity/external-identities.ts";
import { findCredential } from "../../identity/credentials.ts";
import { completeGrant } from "../../identity/grants.ts";
import { nextPath, signInPath } from "../layout/next-path.ts";
import { authorizationServer, grantsOf } from "../../identity/oauth.ts";
import { guardPages, readForm } from "../layout/form-guards.ts";
import { problemPage, redirectTo, withCookies } from "../layout/page.tsx";
import { providerHost } from "../sign-in/sign-in-page.tsx";
import type { SignedIn } from "../../identity/sessions.ts";
import { signOnPolicy } from "../../identity/sign-on-policy.ts";
import { type Attempt, takeAttempt } from "../../identity/sign-on/attempts.ts";
import { bringsRole, personOf } from "../../identity/sign-on/person.ts";
import { type ProviderProblem, findProvider, redeem } from "../../identity/sign-on/provider.ts";
import { CALLBACK_PATH, sendToProvider, unavailablePage } from "./start.tsx";

/** Sign-in by an OpenID Connect provider. Without one, the pages do not exist. */
export const signOnPages = new Hono<AppTypes>();

guardPages(signOnPages, ["/sign-on/*"]);

signOnPages.post("/sign-on/start", async (c) => {
  const signOn = signOnSettings(c.var.settings);
  if (signOn === undefined) return c.notFound();
  const form = await readForm(c);
  const next = nextPath(form.get("next"), "/account");
  const provider = await findProvider(signOn, Date.now(), c.var.correlationId);
  if (!provider.ok) return unavailablePage(signOn, { action: "/sign-on/start", form, next });
  return sendToProvider(c, provider.value, { state: oidc.randomState(), next, consented: false });
});

signOnPages.get(CALLBACK_PATH, async (c) => {
  const signOn = signOnSettings(c.var.settings);
  if (signOn === undefined) return c.notFound();
  const attempt = await takeAttempt(c, c.req.query("state") ?? "", Date.now());
  const answer =
    attempt === undefined
      ? problemPage(
          "The sign-in was started in another browser, is already over, or took longer than ten minutes.",
          again("/account"),
        )
      : finish(c, signOn, attempt).catch(authorizationProblem);
  return withCookies(c, await answer);
});

const again = (path: string) => (
  <p>
    <a href={path}>Try again</a>
  </p>
);

async function finish(c: AppContext, signOn: SignOnSettings, attempt: Attempt): Promise<Response> {
  const now = Date.now();
  const retry = again(attempt.consented ? attempt.next : signInPath(attempt.next));
  const provider = await findProvider(signOn, now, c.var.correlationId);
  // Uses the origin that clients use, because the provider compares the URL with the registered one.
  const url = new URL(CALLBACK_PATH + new URL(c.req.url).search, c.var.origin);
  const claims = provider.ok ? await redeem(provider.value, url, attempt, c.var.correlationId) : provider;
  if (!claims.ok) {
    if (claims.problem === "declined" && attempt.consented) return declineToClient(c);
    const what = PROVIDER_PROBLEMS[claims.problem](providerHost(signOn));
    return problemPage(what, retry, claims.problem === "unavailable" ? 503 : 400);
  }

  const person = personOf(claims.value, signOnPolicy);
  const recorded = await recordSignOn(c.env.DB, person, {
    callers: c.env.USER_WINDOWS,
    validDays: signOnPolicy.valid_days,
    bringsAdmin: bringsRole(signOnPolicy, "admin"),
    now,
  });
  if (!recorded.ok) return problemPage(PERSON_PROBLEMS[recorded.problem](person.name), retry, 403);
  const credential = { identityId: recorded.identityId };
  const found = await findCredential(c.env.DB, credential, now);
  // Disabled just now.
  if (!found.ok) return problemPage(PERSON_PROBLEMS.user_disabled(person.name), retry, 403);

  const signedIn = { user: found.user, credential };
  await signIn(c, signedIn);
  return attempt.consented ? grantToClient(c, signedIn) : redirectTo(attempt.next);
}

const dataSchema = z.object({ ticked: z.array(z.string()) });

/** Grants the client what the person allowed before the sign-in, as far as their roles permit. */
async function grantToClient(
  c: AppContext,
  signedIn: Pick<SignedIn, "user" | "credential">,
): Promise<Response> {
  const oauth = authorizationServer(c.var).getOAuthApi(c.env);
  const { request, data, headers } = await oauth.finishUpstream(c.req.raw);
  return redirectTo(
    await completeGrant(grantsOf(c), request, dataSchema.parse(data).ticked, signedIn),
    headers,
  );
}

async function declineToClient(c: AppContext): Promise<Response> {
  const oauth = authorizationServer(c.var).getOAuthApi(c.env);
  const { request, headers } = await oauth.finishUpstream(c.req.raw);
  return redirectTo(authorizationErrorRedirect(request, "access_denied"), headers);
}

const PROVIDER_PROBLEMS = {
  unavailable: (host: string) => `${host} does not answer. Try again in a minute. Access keys still work.`,
  declined: (host: string) => `The sign-in was declined at ${host}.`,
  refused: (host: string) =>
    `${host} did not confirm who you are. If this happens again, tell ${signOnPolicy.contact}.`,
} as const satisfies Record<ProviderProblem, unknown>;

const PERSON_PROBLEMS = {
  no_role: (name: string) => `${name} has no role here yet. Ask ${signOnPolicy.contact} for one.`,
  user_disabled: (name: string) => `${name} is disabled here. Ask ${signOnPolicy.contact}.`,
};
