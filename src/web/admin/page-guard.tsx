import type { Handler } from "hono";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { sessionUser } from "../../identity/browser-session.ts";
import { signInPath } from "../layout/next-path.ts";
import { renderPage } from "../layout/page.tsx";
import { scopesOf } from "../../identity/scopes.ts";
import type { SignedIn } from "../../identity/sessions.ts";

type AdminHandler = (c: AppContext, admin: SignedIn) => Response | Promise<Response>;

/** A route for signed-in admins. Other users get 403; people who are not signed in are sent to sign in. */
export const asAdmin =
  (handle: AdminHandler): Handler<AppTypes> =>
  async (c) => {
    const admin = await sessionUser(c);
    if (admin !== undefined && scopesOf(admin.user.roles).includes("admin")) return handle(c, admin);
    // Reload the whole page: a refreshing page would otherwise insert the sign-in page into itself.
    if (c.req.header("hx-request") !== undefined)
      return c.body(null, admin === undefined ? 401 : 403, { "HX-Refresh": "true" });
    if (admin !== undefined) return forbiddenPage();
    const { pathname, search } = new URL(c.req.url);
    // After signing in, a form is not sent again.
    return c.redirect(signInPath(c.req.method === "GET" ? pathname + search : "/admin"), 303);
  };

const forbiddenPage = (): Promise<Response> =>
  renderPage(
    "This is for administrators",
    <>
      <p>Your account does not have the role admin.</p>
      <form method="post" action="/sign-out">
        <div class="actions">
          <button>Sign out</button>
        </div>
      </form>
    </>,
    { status: 403 },
  );
