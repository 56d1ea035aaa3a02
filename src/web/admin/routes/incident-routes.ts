import { Hono } from "hono/tiny";
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
import { notFoundPage } from "../admin-page.tsx";
import { deciderOf } from "./decider.ts";
import { DONE_MESSAGES } from "./done-messages.ts";
import { PAGE_SIZE, afterOf } from "./list-position.ts";

export const incidentRoutes = new Hono<AppTypes>();

incidentRoutes.get(
  "/admin/incidents",
  asAdmin(async (c, admin) => {
    const which = c.req.query("which") === "all" ? "all" : "open";
    const folded = c.req.query("folded");
    const wanted = { after: afterOf(c), size: PAGE_SIZE };
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
  asAdmin((c, admin) => showIncident(c, admin, DONE_MESSAGES.get(c.req.query("done")))),
);
incidentRoutes.post(
  "/admin/incidents/:id",
  asAdmin(async (c, admin) => {
    const incident = await findIncident(c.env.DB, c.req.param("id") ?? "");
    if (incident === undefined) return notFoundPage(admin, "/admin/incidents");
    const form = await readForm(c);
    const decision = textOf(form, "decision");
    const by = await decidesWith(c, admin, incident.principal, textOf(form, "recovery_code"));
    if (!isDecision(decision) || by === undefined)
      return showIncident(c, admin, "You can't decide this incident, or the recovery code is wrong.", 409);
    const isDone = await decide(c.env, incident, { decision, ...deciderOf(admin, form, by) });
    if (!isDone) return showIncident(c, admin, "This incident is already decided.", 409);
    return c.redirect(`${incidentPath(incident.id)}?done=${decision}`, 303);
  }),
);

async function showIncident(c: AppContext, admin: SignedIn, message: string | undefined, status?: 409) {
  const stored = await findIncident(c.env.DB, c.req.param("id") ?? "");
  if (stored === undefined) return notFoundPage(admin, "/admin/incidents");
  const object = new CallerClient(c.env.USER_WINDOWS, stored.principal);
  const together = await object.decidedWith(stored.id);
  // The caller's object has the current state; D1 may be a minute behind.
  const incident = together.find(({ id }) => id === stored.id) ?? stored;
  const { matched, before } = await object.callsAround(incident.events);
  return incidentPage({
    admin,
    incident,
    rule: ruleOf(c.var.policy.rules, incident.rule),
    // A refusal that was only counted has no record, so a later call may have its number.
    calls: matched.filter(({ at }) => at <= incident.last_at),
    before: before.filter(({ at }) => at <= incident.last_at),
    together: together.filter(({ id }) => id !== incident.id),
    minutes: c.var.policy.confirmation.minutes,
    mayDecide: await mayDecideHere(c, admin, incident.principal),
    now: Date.now(),
    message,
    ...(status !== undefined && { status }),
  });
}
