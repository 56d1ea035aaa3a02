import { Hono } from "hono/tiny";
import type { AppTypes } from "../../app-types.ts";
import { pageOfFolded, pageOfIncidents } from "../../incidents/incident-list.ts";
import { shownIncident } from "../shown-incident.ts";
import { list } from "./list-page.ts";

/** /admin/api/incidents: the incidents that flow rules opened. */
export const incidentsApi = new Hono<AppTypes>();

incidentsApi.get("/", (c) =>
  list(c, "incidents", async (page) => {
    const rule = c.req.query("folded");
    const { rows, next } = await (rule === undefined
      ? pageOfIncidents(c.env.DB, { ...page, which: c.req.query("which") === "open" ? "open" : "all" })
      : pageOfFolded(c.env.DB, { ...page, rule }));
    return { rows: rows.map((row) => shownIncident(row, c.var.origin)), next };
  }),
);
