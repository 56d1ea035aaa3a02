import type { ConsentDescription } from "@cloudflare/workers-oauth-provider";
import type { SignOnSettings } from "../../env.ts";
import { credentialId } from "../../identity/credentials.ts";
import { type Offered, offeredScopes, shownName } from "../../identity/grants.ts";
import { signInPath } from "../layout/next-path.ts";
import { renderPage } from "../layout/page.tsx";
import { ALL_SCOPES, SCOPES, isScope, scopesOf } from "../../identity/scopes.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import { providerHost } from "../sign-in/sign-in-page.tsx";

/** Binds a page that was shown before anybody signed in; no credential has this name. */
export const NOBODY = "nobody";

interface ConsentQuestion {
  /** The person who is asked; undefined if the provider will identify them. */
  signedIn: SignedIn | undefined;
  signOn: SignOnSettings | undefined;
  /** The client's request; a person who signs in first returns to it. */
  path: string;
  handle: string;
  headers: Headers;
}

export function consentPage(details: ConsentDescription, question: ConsentQuestion): Promise<Response> {
  const { signedIn, signOn, path, handle, headers } = question;
  const allowed = signedIn === undefined ? ALL_SCOPES : scopesOf(signedIn.user.roles);
  const offered = offeredScopes(details.scope, allowed);
  const requested = offered.filter(({ isRequested }) => isRequested);
  const others = offered.filter(({ isRequested }) => !isRequested);
  const refused = details.scope.filter((scope) => isScope(scope) && !allowed.includes(scope));
  const host = signedIn === undefined && signOn !== undefined ? providerHost(signOn) : undefined;
  const { protocol } = new URL(details.redirectUri);
  // Any app may have put any host in a link of an app's own scheme.
  const isWeb = protocol === "https:" || protocol === "http:";
  return renderPage(
    `Let ${shownName(details)} use the product catalog?`,
    <form method="post" action="/authorize">
      <p>
        {details.clientDomain === undefined ? (
          "The app chose this name itself; nobody has verified it."
        ) : (
          <>
            The app is published by <strong>{details.clientDomain}</strong>.
          </>
        )}
      </p>
      <dl>
        {signedIn !== undefined && (
          <>
            <dt>Signed in as</dt>
            <dd>
              {signedIn.interactive ? signedIn.user.name : signedIn.user.userId}{" "}
              <a href={signInPath(path)}>Not you?</a>
            </dd>
          </>
        )}
        <dt>Access goes to</dt>
        <dd>{isWeb ? details.redirectHost : `the app that opens ${protocol} links`}</dd>
      </dl>
      {(details.redirectIsLoopback || !isWeb) && (
        <p class="warn">
          That is an app on your own {isWeb ? "computer" : "device"}. Continue only if you just started
          signing in from it.
        </p>
      )}
      {refused.length > 0 && <p class="quiet">Your roles do not allow {refused.join(", ")}.</p>}
      {offered.length === 0 ? (
        <p class="bad">Your roles allow nothing here.</p>
      ) : (
        <>
          {requested.length > 0 && <Choice legend="It may" scopes={requested} />}
          {others.length > 0 && (
            <Choice legend="It does not ask for this; tick what it may also do" scopes={others} />
          )}
        </>
      )}
      <input
        type="hidden"
        name="handle"
        value={`${signedIn === undefined ? NOBODY : credentialId(signedIn.credential)} ${handle}`}
      />
      {host !== undefined && (
        <>
          <input type="hidden" name="next" value={path} />
          <p class="quiet">
            Next, you sign in at {host}. Permissions that your roles do not allow are left out.{" "}
            <a href={signInPath(path)}>Use an access key</a>
          </p>
        </>
      )}
      <div class="actions">
        {offered.length > 0 && (
          <button class="main" name="decision" value="allow">
            {host === undefined ? "Allow" : "Allow and sign in"}
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

const Choice = ({ legend, scopes }: { legend: string; scopes: readonly Offered[] }) => (
  <fieldset>
    <legend>{legend}</legend>
    {scopes.map(({ scope, isRequested }) => (
      <label class="choice">
        <input type="checkbox" name="scope" value={scope} checked={isRequested} />
        <span>
          {SCOPES[scope]} <small>{scope}</small>
        </span>
      </label>
    ))}
  </fieldset>
);

/** A CSP cannot name an IPv6 address or a host with unusual characters, so those are named by their scheme. */
function formTarget(redirectUri: string): string {
  const { origin, protocol, hostname } = new URL(redirectUri);
  return origin !== "null" && /^[a-z0-9.-]+$/.test(hostname) ? origin : protocol;
}
