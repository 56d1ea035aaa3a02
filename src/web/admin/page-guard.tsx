import type { Handler } from "hono";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { sessionUser } from "../../identity/browser-session.ts";
import { signInPath } from "../layout/next-path.ts";
import { renderPage } from "../layout/page.tsx";
import { scopesOf } from "../../identity/scopes.ts";
import type { SignedIn } from "../../identity/sessions.ts";

type AdminHandler = (c: AppContext, admin: SignedIn) => Response | Promise<Response>;

/** A route for admins who are signed in; others are sent to sign in, or told that it is not theirs. */
export const asAdmin =
  (handle: AdminHandler): Handler<AppTypes> =>
  async (c) => {
    const admin = await sessionUser(c);
    if (admin !== undefined && scopesOf(admin.user.roles).includes("admin")) return handle(c, admin);
    // A page that refreshes itself would put the sign-in page into its middle: it loads anew as a whole.
    if (c.req.header("hx-request") !== undefined)
      return c.body(null, admin === undefined ? 401 : 403, { "HX-Refresh": "true" });
    if (admin !== undefined) return notYours();
    const { pathname, search } = new URL(c.req.url);
    // A form that was sent is not sent again.
    return c.redirect(signInPath(c.req.method === "GET" ? pathname + search : "/admin"), 303);
  };

const notYours = (): Promise<Response> =>
  renderPage(
    "This is for administrators",
    <>
      <p>You are signed in as somebody who does not administer this server.</p>
      <form method="post" action="/sign-out">
        <div class="actions">
          <button>Sign out</button>
        </div>
      </form>
    </>,
    { status: 403 },
  );
