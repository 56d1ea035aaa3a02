import { Hono } from "hono/tiny";
import { ruleOf } from "../admin/incidents-page.tsx";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { sessionUser } from "../../identity/browser-session.ts";
import { signInPath } from "../layout/next-path.ts";
import { guardPages, readForm, textOf } from "../layout/form-guards.ts";
import { renderPage } from "../layout/page.tsx";
import type { SignedIn } from "../../identity/sessions.ts";
import { clip, plainLine } from "../../text/plain-text.ts";
import { CallerClient } from "../../caller/caller-client.ts";
import { findIncident } from "../../incidents/incident-rows.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import { confirmPage } from "./confirm-page.tsx";
import { decidesWith, mayDecideHere, noteOf } from "../../identity/who-may.ts";
import type { MayDecide } from "../../identity/who-decides.ts";

/** Pages where a person decides whether a stopped caller may continue. */
export const confirmPages = new Hono<AppTypes>();

const NOTE_MAX = 500;

guardPages(confirmPages, ["/confirm/*"]);

confirmPages.get("/confirm/:id", async (c) => {
  const pending = await findPendingDecision(c);
  if (pending instanceof Response) return pending;
  const { id, principal } = pending.incident;
  const waiting = await new CallerClient(c.env.USER_WINDOWS, principal).decidedWith(id);
  const together = waiting.filter((each) => each.id !== id);
  const { rules, confirmation } = c.var.policy;
  return confirmPage({
    ...pending,
    together,
    needsCode: pending.may === "with-code",
    rule: ruleOf(rules, pending.incident.rule),
    minutes: confirmation.minutes,
  });
});

confirmPages.post("/confirm/:id", async (c) => {
  const pending = await findPendingDecision(c);
  if (pending instanceof Response) return pending;
  const form = await readForm(c);
  const decision = textOf(form, "decision");
  if (decision !== "allow" && decision !== "decline")
    return renderPage("Nothing was decided", <p>The form holds no decision.</p>, { status: 400 });
  const { signedIn, incident } = pending;
  const by = await decidesWith(c, signedIn, incident.principal, textOf(form, "recovery_code"));
  if (by === undefined) return notYours();
  const decided = await new CallerClient(c.env.USER_WINDOWS, incident.principal).decide({
    incident: incident.id,
    decision: decision === "allow" ? "released" : "declined",
    by: signedIn.user.userId,
    note: noteOf(clip(plainLine(textOf(form, "note")), NOTE_MAX), by),
  });
  if (decided === undefined) return nothingToDecide();
  return decision === "allow"
    ? renderPage("Allowed", <p>The work can go on. Have the same call made again.</p>)
    : renderPage("Declined", <p>The work stays stopped.</p>);
});

interface PendingDecision {
  signedIn: SignedIn;
  incident: Incident;
  may: MayDecide;
}

/** Returns the signed-in person and the incident, or the page to show instead. */
async function findPendingDecision(c: AppContext): Promise<Response | PendingDecision> {
  const id = c.req.param("id") ?? "";
  const signedIn = await sessionUser(c);
  if (signedIn === undefined) return c.redirect(signInPath(`/confirm/${encodeURIComponent(id)}`), 303);
  const incident = await findIncident(c.env.DB, id);
  // One answer for both cases: a person who may not decide an incident must not learn whether it exists.
  if (incident === undefined) return notYours();
  const may = await mayDecideHere(c, signedIn, incident.principal);
  if (may === "no") return notYours();
  return incident.status === "open" && incident.verdict === "confirm"
    ? { signedIn, incident, may }
    : nothingToDecide();
}

const notYours = (): Promise<Response> =>
  renderPage(
    "You cannot decide this",
    <p>
      The link may be wrong. If it is right: you decide about your own work after you sign in by your sign-in
      provider. An administrator decides about the work of others and of services, unless one of both made the
      other's account or key within a week; then another administrator decides, or the recovery code is
      needed.
    </p>,
    { status: 403 },
  );

const nothingToDecide = (): Promise<Response> =>
  renderPage("Nothing to decide", <p>This was already decided, or needs no decision.</p>);
