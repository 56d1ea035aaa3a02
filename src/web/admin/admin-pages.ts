import { Hono } from "hono/tiny";
import type { AppTypes } from "../../app-types.ts";
import { guardPages } from "../layout/form-guards.ts";
import { asAdmin } from "./page-guard.tsx";
import { notFoundPage } from "./admin-page.tsx";
import { auditRoutes } from "./routes/audit-routes.ts";
import { callerRoutes } from "./routes/caller-routes.ts";
import { catalogRoutes } from "./routes/catalog-routes.ts";
import { feedRoutes } from "./routes/feed-routes.ts";
import { incidentRoutes } from "./routes/incident-routes.ts";
import { overviewRoutes } from "./routes/overview-routes.ts";
import { policyRoutes } from "./routes/policy-routes.ts";
import { stockRoutes } from "./routes/stock-routes.ts";
import { userRoutes } from "./routes/user-routes.ts";

/** The dashboard. Every page is only for administrators, and every change is recorded in an audit. */
export const adminPages = new Hono<AppTypes>();

guardPages(adminPages, ["/admin", "/admin/*"]);
for (const routes of [
  overviewRoutes,
  incidentRoutes,
  callerRoutes,
  userRoutes,
  feedRoutes,
  catalogRoutes,
  stockRoutes,
  auditRoutes,
  policyRoutes,
])
  adminPages.route("/", routes);
adminPages.get(
  "/admin/*",
  asAdmin((_, admin) => notFoundPage(admin)),
);
