import type { Context } from "hono";
import { html } from "hono/html";
import type { Child } from "hono/jsx";

// Plain forms and one style sheet: the pages work without scripts, and the policy allows none.
const STYLE = `
:root { color-scheme: light dark; --accent: light-dark(#0b57d0, #a8c7fa); --on-accent: light-dark(#fff, #062e6f);
  --page: light-dark(#f2f4f8, #131316); --card: light-dark(#fff, #1f1f23); --text: light-dark(#1b1b1f, #e6e6ea);
  --quiet: light-dark(#4a4d52, #b9bcc2); --line: light-dark(#d6d9df, #3c3d43); --edge: light-dark(#74777f, #8e9099);
  --bad: light-dark(#b3261e, #f2b8b5); }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; min-height: 100svh; display: grid; place-items: center; padding: 1rem;
  font: 1rem/1.5 system-ui, sans-serif; background: var(--page); color: var(--text); }
main { width: 100%; max-width: 28rem; padding: 2rem; border: 1px solid var(--line); border-radius: 1rem;
  background: var(--card); box-shadow: 0 1px 2px #0001, 0 .75rem 2rem #0000000f; overflow-wrap: anywhere; }
main::before { content: ""; display: block; width: 2.5rem; height: .375rem; margin-bottom: 1.25rem;
  border-radius: 1rem; background: var(--accent); }
h1 { margin: 0 0 1rem; font-size: 1.4rem; line-height: 1.25; text-wrap: balance; }
h2 { margin: 2rem 0 .75rem; font-size: 1.1rem; line-height: 1.25; }
p { margin: 0 0 1rem; } main > :last-child, main > :last-child > :last-child { margin-bottom: 0; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
.quiet { color: var(--quiet); font-size: .9rem; } .bad { color: var(--bad); font-weight: 600; }
label { display: block; font-weight: 600; }
input:is([type=password], [type=text]) { width: 100%; margin: .375rem 0 .5rem; padding: .7rem .8rem; font: inherit; color: inherit;
  border: 1px solid var(--edge); border-radius: .5rem; background: transparent; }
input[aria-invalid=true] { border-color: var(--bad); } input[aria-invalid=true] ~ .bad { margin-bottom: .25rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0 0 1rem; padding: .75rem 0;
  border: solid var(--line); border-width: 1px 0; } dt { color: var(--quiet); } dd { margin: 0; font-weight: 600; }
.warn { padding: .75rem 1rem; border-radius: .5rem; background: light-dark(#fef3d6, #3a3218); font-size: .925rem; }
fieldset { margin: 0 0 1.25rem; padding: 0; border: 0; } legend { padding: 0; margin-bottom: .25rem; font-weight: 600; }
label.choice { display: flex; gap: .75rem; padding: .4rem 0; font-weight: 400; cursor: pointer; }
.choice input { flex: none; width: 1.15rem; height: 1.15rem; margin: .2rem 0 0; accent-color: var(--accent); }
.choice small { display: block; color: var(--quiet); font: .825rem/1.4 ui-monospace, monospace; }
.or { margin: 1.5rem 0; text-align: center; color: var(--quiet); font-size: .9rem; }
.things { margin: 0; padding: 0; list-style: none; } .things li { padding: .75rem 0; border-top: 1px solid var(--line); }
.things small { display: block; color: var(--quiet); font-size: .85rem; } .things form { margin-top: .5rem; }
.steps { margin: 0 0 1.25rem; padding-left: 1.25rem; } .steps li { margin-bottom: .75rem; } .steps .actions { margin: .5rem 0; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem; }
button { flex: 1 1 7rem; min-height: 2.75rem; padding: .5rem 1rem; font: inherit; font-weight: 600;
  border: 1px solid var(--edge); border-radius: .5rem; background: transparent; color: inherit; cursor: pointer; }
button.main { border-color: transparent; background: var(--accent); color: var(--on-accent); }
button:hover { background: light-dark(#0000000d, #ffffff14); }
button.main:hover { background: light-dark(#0842a0, #d3e3fd); }
a { color: var(--accent); font-weight: 400; white-space: nowrap; }
:focus-visible { outline: .1875rem solid var(--accent); outline-offset: .125rem; }
@media (max-width: 30rem) { body { padding: 0; place-items: start stretch; background: var(--card); }
  main { max-width: none; padding: 1.75rem 1.25rem; border: 0; border-radius: 0; box-shadow: none; } }
`;

export const STYLE_PATH = "/sign-in.css";
export const serveStyle = (c: Context): Response =>
  c.body(STYLE, 200, { "Content-Type": "text/css; charset=utf-8", "Cache-Control": "public, max-age=300" });

interface PageOptions {
  status?: number;
  headers?: Headers;
  /** Another place where a form of the page may end up: browsers apply form-action to a form's redirects too. */
  formTarget?: string;
  /** The address to which the browser continues by itself. */
  continueTo?: string;
}

/** Renders a whole page: not frameable, not cached, without scripts. */
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
        {options.continueTo !== undefined && (
          <meta http-equiv="refresh" content={`0; url=${options.continueTo}`} />
        )}
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
  return sendPage(page, "style-src 'self'", options);
}

/** Sends a page: not frameable, not cached. `sources` are the sources that its Content-Security-Policy allows. */
export async function sendPage(
  page: Child,
  sources: string,
  { status = 200, headers: given, formTarget }: Omit<PageOptions, "continueTo"> = {},
): Promise<Response> {
  const headers = new Headers(given);
  const formTargets = ["'self'", ...(formTarget === undefined ? [] : [formTarget])].join(" ");
  headers.set("Content-Type", "text/html; charset=utf-8");
  headers.set("Cache-Control", "no-store");
  // same-origin, because with no-referrer browsers send "Origin: null" with forms, which is refused.
  headers.set("Referrer-Policy", "same-origin");
  headers.set("X-Frame-Options", "DENY");
  headers.set(
    "Content-Security-Policy",
    `default-src 'none'; ${sources}; base-uri 'none'; frame-ancestors 'none'; form-action ${formTargets}`,
  );
  return new Response(await html`<!doctype html>${page}`, { status, headers });
}

/** Says why a sign-in failed and what to do now. */
export function problemPage(
  what: string,
  next: Child,
  status: PageOptions["status"] = 400,
): Promise<Response> {
  return renderPage(
    "This sign-in can't go on",
    <>
      <p class="bad">{what}</p>
      {next}
    </>,
    { status },
  );
}

/** Redirects like the OAuth library does, with the cookies that it sets and clears. */
export function redirectTo(location: string, headers = new Headers()): Response {
  headers.set("Location", location);
  headers.set("Cache-Control", "no-store");
  return new Response(null, { status: 303, headers });
}

/** Adds the cookies that were set while the answer was made. */
export const withCookies = (c: Context, answer: Response): Response =>
  answer.body === null ? c.body(null, answer) : c.body(answer.body, answer);
