import type { Context } from "hono";
import { html } from "hono/html";
import type { Child } from "hono/jsx";

// Plain forms and one style sheet: the pages work without scripts, and the policy allows none.
const STYLE = `
:root { color-scheme: light dark; --accent: light-dark(#0b57d0, #8ab4f8); --line: light-dark(#c4c7c5, #5f6368);
  --quiet: light-dark(#444746, #c4c7c5); --bad: light-dark(#b3261e, #f2b8b5); }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  font: 1rem/1.5 system-ui, sans-serif; background: light-dark(#f7f8fa, #1b1b1f); color: light-dark(#1b1b1f, #e3e3e3); }
main { width: 100%; max-width: 28rem; padding: 1.5rem; border: 1px solid var(--line); border-radius: .75rem;
  background: light-dark(#fff, #26262b); overflow-wrap: anywhere; }
h1 { margin: 0 0 1rem; font-size: 1.35rem; line-height: 1.3; }
p { margin: 0 0 1rem; } .quiet { color: var(--quiet); } .bad { color: var(--bad); font-weight: 600; }
label { display: block; margin-bottom: .75rem; } label.choice { display: flex; gap: .6rem; align-items: baseline; }
label.choice small { display: block; color: var(--quiet); }
fieldset { margin: 0 0 1rem; padding: 0; border: 0; } legend { padding: 0; margin-bottom: .5rem; font-weight: 600; }
input[type=password] { width: 100%; margin-top: .25rem; padding: .6rem .75rem; font: inherit;
  border: 1px solid var(--line); border-radius: .5rem; background: transparent; color: inherit; }
.warn { padding: .75rem; border-left: .25rem solid light-dark(#b06000, #fdd663); background: light-dark(#fef7e0, #3a3218); }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; }
button { flex: 1 1 8rem; padding: .65rem 1rem; font: inherit; font-weight: 600; border: 1px solid var(--accent);
  border-radius: .5rem; background: transparent; color: var(--accent); cursor: pointer; }
button.main { background: var(--accent); color: light-dark(#fff, #1b1b1f); }
:focus-visible { outline: .2rem solid var(--accent); outline-offset: .15rem; }
`;

export const STYLE_PATH = "/sign-in.css";
export const serveStyle = (c: Context): Response =>
  c.body(STYLE, 200, { "Content-Type": "text/css; charset=utf-8", "Cache-Control": "public, max-age=300" });

interface PageOptions {
  status?: 200 | 400 | 401 | 403;
  headers?: Headers;
  /** Where a form of the page may end up beside this server: browsers hold a form's redirects to it too. */
  formTarget?: string;
}

/** A whole page, unframeable, uncached, without scripts. */
export async function renderPage(
  title: string,
  content: Child,
  options: PageOptions = {},
): Promise<Response> {
  const page = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        <link rel="stylesheet" href={STYLE_PATH} />
      </head>
      <body>
        <main>
          <h1>{title}</h1>
          {content}
        </main>
      </body>
    </html>
  );
  const headers = new Headers(options.headers);
  const formTargets = ["'self'", ...(options.formTarget === undefined ? [] : [options.formTarget])].join(" ");
  headers.set("Content-Type", "text/html; charset=utf-8");
  headers.set("Cache-Control", "no-store");
  // same-origin, not no-referrer: under that, browsers send "Origin: null" with forms, which is refused.
  headers.set("Referrer-Policy", "same-origin");
  headers.set("X-Frame-Options", "DENY");
  headers.set(
    "Content-Security-Policy",
    `default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action ${formTargets}`,
  );
  return new Response(await html`<!doctype html>${page}`, { status: options.status ?? 200, headers });
}
