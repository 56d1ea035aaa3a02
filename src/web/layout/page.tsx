import type { Context } from "hono";
import { html } from "hono/html";
import type { Child } from "hono/jsx";

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
        <link rel="stylesheet" href="/assets/sign-in.css" />
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

/** Content-Security-Policy: only this server's files, no inline scripts or styles. */
export const OWN_SOURCES = "script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'";

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
