import { Hono } from "hono";
import type { AppContext, AppTypes } from "../app-types.ts";
import { type Position, positionOf } from "../database/page.ts";
import { guardPages, readForm, textOf } from "../identity/page-guards.ts";
import { toPrincipal } from "../identity/oauth.ts";
import { scopesOf } from "../identity/scopes.ts";
import type { SignedIn } from "../identity/sessions.ts";
import { type DecidedBy, decidesWith, mayDecideHere, noteOf } from "../identity/who-may.ts";
import { limitOf } from "../policy/roles.ts";
import { clip, plainLine } from "../text/plain-text.ts";
import { CallerObject } from "../windows/caller-object.ts";
import type { Decider } from "../windows/flow-stage.ts";
import { countOpen, openIncidentsOf, pageOfFolded, pageOfIncidents } from "../windows/incident-list.ts";
import { findIncident } from "../windows/incident-rows.ts";
import { checkAudit, exportAudit } from "./audit.ts";
import { mayHaveChain, pageOfChains } from "./chains.ts";
import { type Caller, findCaller, findCallers, pageOfCallers, rolesOf } from "./callers.ts";
import { decide, isDecision } from "./decide.ts";
import { asAdmin } from "./page-guard.tsx";
import { auditPage, verifiedPage } from "./pages/audit.tsx";
import { callerPage } from "./pages/caller.tsx";
import { callersPage } from "./pages/callers.tsx";
import { incidentPage } from "./pages/incident.tsx";
import { incidentPath, incidentsPage, ruleOf } from "./pages/incidents.tsx";
import { nothingPage } from "./pages/layout.tsx";
import { overviewPage } from "./pages/overview.tsx";
import { callerPath } from "./pages/parts.tsx";
import { policyPage } from "./pages/policy.tsx";
import { readRuleHits } from "./rule-hits.ts";
import { rangeOf, readSeries } from "./series.ts";
import { setEnabled } from "./set-enabled.ts";
import { countWrite } from "./admin-writes.ts";
import { removeUser } from "./delete-user.ts";

/** What administrators see and do in a browser. Every page is theirs alone, and every change leaves a record in an audit. */
export const adminPages = new Hono<AppTypes>();

const NOTE_MAX = 500;
/** Rows on a page of a list. */
const PAGE = 100;
/** More than the overview shows, so that it knows whether there are others. */
const GLANCE = 7;

guardPages(adminPages, ["/admin", "/admin/*"]);

adminPages.get(
  "/admin",
  asAdmin(async (c, admin) => {
    const now = Date.now();
    const range = rangeOf(c.req.query("range"));
    const [series, { rows }, counts] = await Promise.all([
      readSeries(c, range, now),
      pageOfIncidents(c.env.DB, { which: "open", after: undefined, size: GLANCE }),
      countOpen(c.env.DB),
    ]);
    return overviewPage({ admin, range, series, listed: rows, counts, rules: c.var.policy.rules, now });
  }),
);

adminPages.get(
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

adminPages.get(
  "/admin/incidents/:id",
  asAdmin((c, admin) => showIncident(c, admin, DONE.get(c.req.query("done")))),
);
adminPages.post(
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

adminPages.get(
  "/admin/callers",
  asAdmin(async (c, admin) => {
    const text = clip(plainLine(c.req.query("q") ?? ""), 100);
    const now = Date.now();
    const wanted = { after: afterOf(c), size: PAGE, now };
    const page = await (text === "" ? pageOfCallers(c.env.DB, wanted) : findCallers(c.env.DB, text, wanted));
    return callersPage({ admin, page, cursor: c.req.query("after"), text, now });
  }),
);

adminPages.get(
  "/admin/callers/:id",
  asAdmin(withCaller((c, admin, caller) => showCaller(c, admin, caller, DONE.get(c.req.query("done"))))),
);
adminPages.post(
  "/admin/callers/:id/release",
  asAdmin(
    withCaller(async (c, admin, caller) => {
      const form = await readForm(c);
      const by = await decidesWith(c, admin, caller.id, textOf(form, "recovery_code"));
      if (by === undefined) return showCaller(c, admin, caller, "Nothing was released.", 409);
      const released = await new CallerObject(c.env.USER_WINDOWS, caller.id).release({
        rule: textOf(form, "rule") || null,
        ...deciderOf(admin, form, by),
      });
      return released.length > 0
        ? c.redirect(`${callerPath(caller.id)}?done=released`, 303)
        : showCaller(c, admin, caller, "There was nothing to release.", 409);
    }),
  ),
);
adminPages.post(
  "/admin/callers/:id/enable",
  asAdmin(
    withUser(async (c, admin, caller) => {
      const uncounted = await countWrite(c, principalOf(admin), { gives: "users.enable" });
      if (uncounted !== undefined) return showCaller(c, admin, caller, uncounted.message, 409);
      await setEnabled(c, caller.id, true, deciderOf(admin, await readForm(c)));
      return c.redirect(`${callerPath(caller.id)}?done=enabled`, 303);
    }),
  ),
);
adminPages.post(
  "/admin/callers/:id/disable",
  asAdmin(
    withUser(async (c, admin, caller) => {
      const isDone = await setEnabled(c, caller.id, false, deciderOf(admin, await readForm(c)));
      if (!isDone) return showCaller(c, admin, caller, LAST_ADMIN, 409);
      await countWrite(c, principalOf(admin), { takes: "users.disable" });
      return c.redirect(`${callerPath(caller.id)}?done=disabled`, 303);
    }),
  ),
);
adminPages.post(
  "/admin/callers/:id/delete",
  asAdmin(
    withUser(async (c, admin, caller) => {
      const isMeant = textOf(await readForm(c), "id") === caller.id;
      if (!isMeant) return showCaller(c, admin, caller, "Nothing was deleted: that is not its id.", 409);
      if (!(await removeUser(c, caller.id, admin.user.userId)))
        return showCaller(c, admin, caller, LAST_ADMIN, 409);
      await countWrite(c, principalOf(admin), { takes: "users.delete" });
      return c.redirect(`${callerPath(caller.id)}?done=deleted`, 303);
    }),
  ),
);

const LAST_ADMIN = "Nobody else is an admin: nobody could undo this.";

const principalOf = ({ user }: SignedIn) => toPrincipal(user, "session", scopesOf(user.roles));

adminPages.get(
  "/admin/audit",
  asAdmin(async (c, admin) => {
    const page = await pageOfChains(c.env, { after: afterOf(c), size: PAGE });
    return auditPage({ admin, page, cursor: c.req.query("after"), now: Date.now() });
  }),
);
adminPages.get(
  "/admin/audit/:principal",
  asAdmin(async (c, admin) => {
    const principal = c.req.param("principal") ?? "";
    const checked = (await mayHaveChain(c.env, principal)) ? await checkAudit(c.env, principal) : undefined;
    if (checked === undefined) return nothingPage(admin, "/admin/audit");
    return verifiedPage({ admin, ...checked, now: Date.now() });
  }),
);
adminPages.get(
  "/admin/audit/:principal/download",
  asAdmin(async (c, admin) => {
    const principal = c.req.param("principal") ?? "";
    const exported = (await mayHaveChain(c.env, principal)) ? await exportAudit(c.env, principal) : undefined;
    if (exported === undefined) return nothingPage(admin, "/admin/audit");
    const name = `audit-${principal.replaceAll(/[^A-Za-z0-9._-]/g, "_")}.jsonl`;
    exported.headers.set("Content-Disposition", `attachment; filename="${name}"`);
    return exported;
  }),
);

adminPages.get(
  "/admin/policy",
  asAdmin(async (c, admin) =>
    policyPage({ admin, policy: c.var.policy, spoken: await readRuleHits(c.env, Date.now()) }),
  ),
);

adminPages.get(
  "/admin/*",
  asAdmin((_, admin) => nothingPage(admin)),
);

/** What the page says after a change, which the browser was sent to it with. */
const DONE = new Map<string | undefined, string>([
  ["released", "Let through. The work can go on."],
  ["declined", "Declined. The work stays stopped."],
  ["closed", "Closed."],
  ["disabled", "Disabled. What it holds is refused from the next call on."],
  ["enabled", "Enabled."],
  ["deleted", "Deleted. Its keys, sessions and clients are refused; its audit stays."],
]);

/** Behind which row the page begins; at the beginning where the address says nothing of sense. */
const afterOf = (c: AppContext): Position | undefined => positionOf(c.req.query("after") ?? "");

const deciderOf = (admin: SignedIn, form: FormData, decidedBy?: DecidedBy): Decider => ({
  by: admin.user.userId,
  note: noteOf(clip(plainLine(textOf(form, "note")), NOTE_MAX), decidedBy),
});

async function showIncident(c: AppContext, admin: SignedIn, said: string | undefined, status?: 409) {
  const written = await findIncident(c.env.DB, c.req.param("id") ?? "");
  if (written === undefined) return nothingPage(admin, "/admin/incidents");
  const object = new CallerObject(c.env.USER_WINDOWS, written.principal);
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
    said,
    ...(status !== undefined && { status }),
  });
}

async function showCaller(
  c: AppContext,
  admin: SignedIn,
  caller: Caller,
  said: string | undefined,
  status?: 409,
) {
  const { policy } = c.var;
  const roles = rolesOf(caller);
  const limits = {
    calls: limitOf(policy, roles, "calls"),
    discovery: limitOf(policy, roles, "discovery"),
  };
  const [overview, incidents] = await Promise.all([
    new CallerObject(c.env.USER_WINDOWS, caller.id).overview({
      calls: limits.calls.window_s * 1000,
      discovery: limits.discovery.window_s * 1000,
    }),
    openIncidentsOf(c.env.DB, caller.id),
  ]);
  return callerPage({
    admin,
    caller,
    overview,
    limits,
    incidents,
    rules: policy.rules,
    minutes: policy.confirmation.minutes,
    mayDecide: await mayDecideHere(c, admin, caller.id),
    now: Date.now(),
    said,
    ...(status !== undefined && { status }),
  });
}

/** Hands on the user that the path names: a caller without a name, or one who is deleted, can't be changed. */
function withUser(handle: (c: AppContext, admin: SignedIn, caller: Caller) => Response | Promise<Response>) {
  return withCaller((c, admin, caller) =>
    caller.name === null || caller.deleted_at !== null
      ? showCaller(c, admin, caller, "This caller is no user who could be changed.", 409)
      : handle(c, admin, caller),
  );
}

/** Hands on the caller that the path names, where there is one. */
function withCaller(
  handle: (c: AppContext, admin: SignedIn, caller: Caller) => Response | Promise<Response>,
) {
  return async (c: AppContext, admin: SignedIn): Promise<Response> => {
    const caller = await findCaller(c.env.DB, c.req.param("id") ?? "", Date.now());
    return caller === undefined ? nothingPage(admin, "/admin/callers") : handle(c, admin, caller);
  };
}
