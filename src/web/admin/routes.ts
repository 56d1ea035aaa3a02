import { Hono } from "hono";
import type { AppTypes } from "../../app-types.ts";
import { guardPages } from "../layout/form-guards.ts";
import { asAdmin } from "./page-guard.tsx";
import { nothingPage } from "./layout.tsx";
import { auditRoutes } from "./routes/audit.ts";
import { callerRoutes } from "./routes/callers.ts";
import { incidentRoutes } from "./routes/incidents.ts";
import { overviewRoutes } from "./routes/overview.ts";
import { policyRoutes } from "./routes/policy.ts";

/** The dashboard. Every page is for administrators alone, and every change leaves a record in an audit. */
export const adminPages = new Hono<AppTypes>();

guardPages(adminPages, ["/admin", "/admin/*"]);
for (const routes of [overviewRoutes, incidentRoutes, callerRoutes, auditRoutes, policyRoutes])
  adminPages.route("/", routes);
adminPages.get(
  "/admin/*",
  asAdmin((_, admin) => nothingPage(admin)),
);
