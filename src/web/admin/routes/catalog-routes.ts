import { Hono } from "hono/tiny";
import { catalogCounts, pageOfUnstocked } from "../../../catalog/counts.ts";
import type { AppContext, AppTypes } from "../../../app-types.ts";
import { pageOfFlagged, pageOfImports } from "../../../catalog/import/lists.ts";
import { type Page, type Position, pageOf } from "../../../database/page.ts";
import { readSearches } from "../../../admin/search-list.ts";
import { allFeeds } from "../../../feeds/feed-rows.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { categoriesPage, flaggedPage, importsPage, unstockedPage } from "../catalog/catalog-lists.tsx";
import { catalogPage } from "../catalog/catalog-page.tsx";
import { asAdmin } from "../page-guard.tsx";
import { DONE_MESSAGES } from "./done-messages.ts";
import { PAGE_SIZE, afterOf } from "./list-position.ts";

export const catalogRoutes = new Hono<AppTypes>();

/** Rows of each list on the page Catalog itself. */
const SHOWN = 5;
const SEARCHES_SHOWN = 15;

catalogRoutes.get(
  "/admin/catalog",
  asAdmin((c, admin) => showCatalog(c, admin, DONE_MESSAGES.get(c.req.query("done")))),
);

/** Answers with the page Catalog, and the message after an action. */
export async function showCatalog(
  c: AppContext,
  admin: SignedIn,
  message: string | undefined,
  status?: 409,
): Promise<Response> {
  const now = Date.now();
  const first = { after: undefined, size: SHOWN };
  const { searches_days: days } = c.var.policy.retention;
  const [counts, imports, flagged, feeds, searches] = await Promise.all([
    catalogCounts(c.env.DB, now),
    pageOfImports(c.env.DB, first),
    pageOfFlagged(c.env.DB, first),
    allFeeds(c.env.DB),
    days === 0 ? undefined : readSearches(c.env.DB, { days, now, size: SEARCHES_SHOWN }),
  ]);
  return catalogPage({
    admin,
    counts,
    imports,
    flagged,
    feeds,
    searches: { searches, days },
    now,
    message,
    ...(status !== undefined && { status }),
  });
}

/** A route for a list. */
const listRoute = <Row>(
  path: string,
  read: (db: D1Database, wanted: { after: Position | undefined; size: number }) => Promise<Page<Row>>,
  page: (wanted: {
    admin: SignedIn;
    page: Page<Row>;
    cursor: string | undefined;
    now: number;
  }) => Promise<Response>,
) =>
  catalogRoutes.get(
    path,
    asAdmin(async (c, admin) =>
      page({
        admin,
        page: await read(c.env.DB, { after: afterOf(c), size: PAGE_SIZE }),
        cursor: c.req.query("after"),
        now: Date.now(),
      }),
    ),
  );

listRoute("/admin/catalog/imports", pageOfImports, importsPage);
listRoute("/admin/catalog/flagged", pageOfFlagged, flaggedPage);
listRoute("/admin/catalog/unstocked", pageOfUnstocked, unstockedPage);
listRoute(
  "/admin/catalog/categories",
  async (db, { after, size }) => {
    const { categories } = await catalogCounts(db, Date.now());
    const rest = categories.filter(({ name }) => name > String(after?.[0] ?? ""));
    return pageOf(rest.slice(0, size + 1), size, ({ name }) => [name, 0]);
  },
  categoriesPage,
);
