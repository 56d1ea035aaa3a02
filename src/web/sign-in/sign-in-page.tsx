import type { SignOnSettings } from "../../env.ts";
import { renderPage } from "../layout/page.tsx";

interface SignInPage {
  next: string;
  /** The provider that people can sign in with, if there is one. */
  signOn: SignOnSettings | undefined;
  /** Whether this is a developer's own machine. */
  isLocal: boolean;
  /** Whether the server has had no admin yet. */
  isNew: boolean;
  /** The problem with the entered key. */
  problem?: string;
}

/** Returns the name by which people know a provider: its host. */
export const providerHost = ({ issuer }: SignOnSettings): string => new URL(issuer).host;

/** Shows the provider's button and the form for an access key. */
export function signInPage({ next, signOn, isLocal, isNew, problem }: SignInPage): Promise<Response> {
  const describedBy = problem === undefined ? "key-hint" : "key-problem key-hint";
  return renderPage(
    "Sign in to the product catalog",
    <>
      {isNew && <NewServer />}
      {signOn !== undefined && (
        <>
          <form method="post" action="/sign-on/start">
            <input type="hidden" name="next" value={next} />
            <div class="actions">
              <button class="main">Sign in with {providerHost(signOn)}</button>
            </div>
          </form>
          <p class="or">or with an access key</p>
        </>
      )}
      <form method="post" action="/sign-in">
        <input type="hidden" name="next" value={next} />
        <label for="key">Access key</label>
        <input
          id="key"
          type="password"
          name="key"
          required
          autofocus={signOn === undefined || problem !== undefined}
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
          It begins with <code>pcm_</code>.{" "}
          {isLocal ? (
            <>
              <code>npm run dev</code> prints the keys of the demo users when it starts.
            </>
          ) : (
            "Ask the operator of this server for one."
          )}
        </p>
        <div class="actions">
          <button class={signOn === undefined ? "main" : ""}>Sign in</button>
        </div>
      </form>
    </>,
    { status: problem === undefined ? 200 : 401 },
  );
}

/** Links to the setup page of a server without an admin. */
function NewServer() {
  return (
    <p class="warn">
      This server has no administrator yet. If it is yours, <a href="/setup">set it up</a>.
    </p>
  );
}
