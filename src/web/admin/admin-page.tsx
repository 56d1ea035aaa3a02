import type { Child } from "hono/jsx";
import { OWN_SOURCES, sendPage } from "../layout/page.tsx";
import type { SignedIn } from "../../identity/sessions.ts";

/** Files in public/assets. Third-party files have their version in the name, so browsers cache them forever. */
const ASSETS = {
  icon: "/assets/icon.svg",
  site: "/assets/site.css",
  parts: "/assets/parts.css",
  forms: "/assets/forms.css",
  tables: "/assets/tables.css",
  charts: "/assets/charts.css",
  script: "/assets/admin.js",
  upload: "/assets/upload.js",
  secret: "/assets/secret.js",
  htmx: "/assets/htmx-4.0.1.min.js",
  uplot: "/assets/uplot-1.6.32.min.js",
  uplotStyle: "/assets/uplot-1.6.32.min.css",
};

/** Settings of htmx: it fetches only what attributes request, and a refresh keeps opened sections open. */
const HTMX = JSON.stringify({
  includeIndicatorCSS: false,
  history: false,
  noSwap: [204, 304, "4xx", "5xx"],
  morphIgnore: ["data-htmx-powered", "open"],
});

const SECTIONS = [
  ["/admin", "Overview"],
  ["/admin/incidents", "Incidents"],
  ["/admin/callers", "Callers"],
  ["/admin/users", "Users"],
  ["/admin/catalog", "Catalog"],
  ["/admin/stock", "Stock"],
  ["/admin/audit", "Audit"],
  ["/admin/policy", "Policy"],
] as const;
export type Section = (typeof SECTIONS)[number][0];

interface AdminPage {
  admin: SignedIn;
  title: string;
  /** Undefined on the page for unknown paths. */
  section?: Section | undefined;
  /** The path that the page refreshes itself from; without it, the page does not refresh. */
  live?: string;
  /** Links beside the title that filter the page. */
  choice?: Child;
  /** Content above the part that refreshes. */
  still?: Child;
  /** Whether the page shows something to copy. */
  copies?: boolean;
  charts?: boolean;
  /** Whether a form of the page sends a file. */
  uploads?: boolean;
  status?: 200 | 404 | 409;
}

/** A page of the dashboard. */
export function adminPage(
  {
    admin,
    title,
    section,
    live,
    choice,
    still,
    charts = false,
    uploads = false,
    copies = false,
    status = 200,
  }: AdminPage,
  content: Child,
): Promise<Response> {
  const page = (
    <html lang="en">
      <Head title={`${title} - product catalog`}>
        <meta name="htmx-config" content={HTMX} />
        <link rel="stylesheet" href={ASSETS.forms} />
        <link rel="stylesheet" href={ASSETS.tables} />
        {charts && <link rel="stylesheet" href={ASSETS.charts} />}
        {charts && <link rel="stylesheet" href={ASSETS.uplotStyle} />}
        {charts && <script src={ASSETS.uplot} defer />}
        <script src={ASSETS.htmx} defer />
        <script src={ASSETS.script} defer />
        {uploads && <script src={ASSETS.upload} defer />}
        {copies && <script src={ASSETS.secret} defer />}
      </Head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="top">
          <a class="brand" href="/">
            <span aria-hidden="true" class="mark" />
            Product catalog
          </a>
          <nav aria-label="Administration">
            {SECTIONS.map(([href, name]) => (
              <a href={href} aria-current={href === section ? "page" : undefined}>
                {name}
              </a>
            ))}
          </nav>
          <div class="who">
            <a href="/account">{admin.user.name}</a>
            <form method="post" action="/sign-out">
              <button class="plain">Sign out</button>
            </form>
          </div>
        </header>
        <main id="main" tabindex={-1}>
          <div class="title">
            <h1>{title}</h1>
            {choice}
            {live !== undefined && (
              <p class="live">
                <span id="live-state" role="status" />
                <button type="button" id="live-toggle" class="small" hidden>
                  Pause updates
                </button>
              </p>
            )}
          </div>
          {still}
          {live === undefined ? (
            content
          ) : (
            <div
              id="live"
              hx-get={live}
              hx-trigger="refresh"
              hx-select="#live"
              hx-target="this"
              hx-swap="outerMorph"
            >
              {content}
            </div>
          )}
        </main>
      </body>
    </html>
  );
  return sendPage(page, OWN_SOURCES, { status });
}

/** The 404 page of a section, or of the dashboard. */
export const notFoundPage = (admin: SignedIn, section?: Section): Promise<Response> =>
  adminPage(
    { admin, title: "Not found", section, status: 404 },
    <p>
      {section === undefined ? (
        <a href="/admin">Back to the overview</a>
      ) : (
        <a href={section}>Back to the list</a>
      )}
    </p>,
  );

function Head({ title, children }: { title: string; children?: Child }) {
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>{title}</title>
      <link rel="icon" href={ASSETS.icon} type="image/svg+xml" />
      <link rel="stylesheet" href={ASSETS.site} />
      <link rel="stylesheet" href={ASSETS.parts} />
      {children}
    </head>
  );
}
