import * as oidc from "openid-client";
import type { AppContext } from "../../app-types.ts";
import type { SignOnSettings } from "../../env.ts";
import { renderPage, withCookies } from "../layout/page.tsx";
import { providerHost } from "../sign-in/sign-in-page.tsx";
import { signInPath } from "../layout/next-path.ts";
import { signOnPolicy } from "../../identity/sign-on-policy.ts";
import { beginAttempt } from "../../identity/sign-on/attempts.ts";
import { authorizationRequest } from "../../identity/sign-on/provider.ts";

/** Registered at the provider as the redirect URI, under the server's origin. */
export const CALLBACK_PATH = "/sign-on/callback";

interface Start {
  state: string;
  next: string;
  consented: boolean;
  headers?: Headers;
}

/**
 * Stores what must match when the person comes back, and sends them to the provider. It uses a page, not a redirect,
 * because browsers apply form-action to a form's redirects, and a provider may redirect to other hosts.
 */
export async function sendToProvider(
  c: AppContext,
  provider: oidc.Configuration,
  { state, next, consented, headers = new Headers() }: Start,
): Promise<Response> {
  const redirectUri = c.var.origin + CALLBACK_PATH;
  const { url, expected } = await authorizationRequest(provider, {
    state,
    redirectUri,
    scope: signOnPolicy.scope,
  });
  await beginAttempt(c, { ...expected, next, consented }, Date.now());
  const { host } = new URL(url);
  const page = await renderPage(
    `Continue to ${host}`,
    <p>
      <a href={url}>Continue</a> if nothing happens.
    </p>,
    { headers, continueTo: url },
  );
  return withCookies(c, page);
}

/** The failed form, to be sent again unchanged. */
interface Again {
  action: string;
  form: FormData;
  next: string;
}

export function unavailablePage(signOn: SignOnSettings, { action, form, next }: Again): Promise<Response> {
  const fields = [...form].flatMap(([name, value]) => (typeof value === "string" ? [{ name, value }] : []));
  return renderPage(
    `${providerHost(signOn)} does not answer`,
    <>
      <p class="bad">Nobody can sign in with it right now.</p>
      <p>
        Try again in a minute, or <a href={signInPath(next)}>use an access key</a>.
      </p>
      <form method="post" action={action}>
        {fields.map(({ name, value }) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <div class="actions">
          <button class="main">Try again</button>
        </div>
      </form>
    </>,
    { status: 503 },
  );
}
