import { Hono } from "hono";
import type { AppContext, AppTypes } from "../../../app-types.ts";
import { readForm, textOf } from "../../layout/form-guards.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { decidesWith, mayDecideHere } from "../../../identity/who-may.ts";
import { CallerClient } from "../../../caller/caller-client.ts";
import { pageOfFolded, pageOfIncidents } from "../../../incidents/incident-list.ts";
import { findIncident } from "../../../incidents/incident-rows.ts";
import { decide, isDecision } from "../../../admin/decide.ts";
import { asAdmin } from "../page-guard.tsx";
import { incidentPage } from "../incident-page.tsx";
import { incidentPath, incidentsPage, ruleOf } from "../incidents-page.tsx";
import { nothingPage } from "../layout.tsx";
import { deciderOf } from "./decider.ts";
import { DONE } from "./done.ts";
import { PAGE, afterOf } from "./page-of-list.ts";

export const incidentRoutes = new Hono<AppTypes>();

incidentRoutes.get(
  "/admin/incidents",
  asAdmin(async (c, admin) => {
    const which = c.req.query("which") === "all" ? "all" : "open";
    const folded = c.req.query("folded");
    const wanted = { after: afterOf(c), size: PAGE };
    const page = await (folded === undefined
      ? pageOfIncidents(c.env.DB, { ...wanted, which })
      : pageOfFolded(c.env.DB, { ...wanted, rule: folded }));
    const { rules } = c.var.policy;
    return incidentsPage({
      admin,
      page,
      which,
      folded,
      cursor: c.req.query("after"),
      rules,
      now: Date.now(),
    });
  }),
);

incidentRoutes.get(
  "/admin/incidents/:id",
  asAdmin((c, admin) => showIncident(c, admin, DONE.get(c.req.query("done")))),
);
incidentRoutes.post(
  "/admin/incidents/:id",
  asAdmin(async (c, admin) => {
    const incident = await findIncident(c.env.DB, c.req.param("id") ?? "");
    if (incident === undefined) return nothingPage(admin, "/admin/incidents");
    const form = await readForm(c);
    const decision = textOf(form, "decision");
    const by = await decidesWith(c, admin, incident.principal, textOf(form, "recovery_code"));
    if (!isDecision(decision) || by === undefined) return showIncident(c, admin, "Nothing was decided.", 409);
    const isDone = await decide(c.env, incident, { decision, ...deciderOf(admin, form, by) });
    if (!isDone) return showIncident(c, admin, "This was decided before.", 409);
    return c.redirect(`${incidentPath(incident.id)}?done=${decision}`, 303);
  }),
);

async function showIncident(c: AppContext, admin: SignedIn, said: string | undefined, status?: 409) {
  const written = await findIncident(c.env.DB, c.req.param("id") ?? "");
  if (written === undefined) return nothingPage(admin, "/admin/incidents");
  const object = new CallerClient(c.env.USER_WINDOWS, written.principal);
  const together = await object.decidedWith(written.id);
  // The object's own is up to date; D1's may be a minute behind.
  const incident = together.find(({ id }) => id === written.id) ?? written;
  const { matched, before } = await object.callsAround(incident.events);
  return incidentPage({
    admin,
    incident,
    rule: ruleOf(c.var.policy.rules, incident.rule),
    // A refusal that was only counted has no record of its own; a later call may have its number.
    calls: matched.filter(({ at }) => at <= incident.last_at),
    before: before.filter(({ at }) => at <= incident.last_at),
    together: together.filter(({ id }) => id !== incident.id),
    minutes: c.var.policy.confirmation.minutes,
    mayDecide: await mayDecideHere(c, admin, incident.principal),
    now: Date.now(),
    said,
    ...(status !== undefined && { status }),
  });
}
