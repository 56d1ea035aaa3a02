import { Hono } from "hono/tiny";
import type { AppTypes } from "../../../app-types.ts";
import { countOpen, pageOfIncidents } from "../../../incidents/incident-list.ts";
import { asAdmin } from "../page-guard.tsx";
import { overviewPage } from "../overview-page.tsx";
import { rangeOf, readSeries } from "../chart-data.ts";

/** One more than the overview shows, so that it knows whether there are others. */
const INCIDENTS_READ = 7;

export const overviewRoutes = new Hono<AppTypes>();

overviewRoutes.get(
  "/admin",
  asAdmin(async (c, admin) => {
    const now = Date.now();
    const range = rangeOf(c.req.query("range"));
    const [series, { rows }, counts] = await Promise.all([
      readSeries(c, range, now),
      pageOfIncidents(c.env.DB, { which: "open", after: undefined, size: INCIDENTS_READ }),
      countOpen(c.env.DB),
    ]);
    return overviewPage({ admin, range, series, listed: rows, counts, rules: c.var.policy.rules, now });
  }),
);
