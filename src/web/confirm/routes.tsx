import { Hono } from "hono";
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

/** Where a person decides whether work that the flow rules stopped may go on. */
export const confirmPages = new Hono<AppTypes>();

const NOTE_MAX = 500;

guardPages(confirmPages, ["/confirm/*"]);

confirmPages.get("/confirm/:id", async (c) => {
  const asked = await whoAndWhat(c);
  if (asked instanceof Response) return asked;
  const { id, principal } = asked.incident;
  const waiting = await new CallerClient(c.env.USER_WINDOWS, principal).decidedWith(id);
  const together = waiting.filter((each) => each.id !== id);
  const { rules, confirmation } = c.var.policy;
  return confirmPage({
    ...asked,
    together,
    needsCode: asked.may === "with-code",
    rule: ruleOf(rules, asked.incident.rule),
    minutes: confirmation.minutes,
  });
});

confirmPages.post("/confirm/:id", async (c) => {
  const asked = await whoAndWhat(c);
  if (asked instanceof Response) return asked;
  const form = await readForm(c);
  const decision = textOf(form, "decision");
  if (decision !== "allow" && decision !== "decline")
    return renderPage("Nothing was decided", <p>There was no decision in the form.</p>, { status: 400 });
  const { signedIn, incident } = asked;
  const by = await decidesWith(c, signedIn, incident.principal, textOf(form, "recovery_code"));
  if (by === undefined) return notYours();
  const decided = await new CallerClient(c.env.USER_WINDOWS, incident.principal).decide({
    incident: incident.id,
    decision: decision === "allow" ? "released" : "declined",
    by: signedIn.user.userId,
    note: noteOf(clip(plainLine(textOf(form, "note")), NOTE_MAX), by),
  });
  if (decided === undefined) return over();
  return decision === "allow"
    ? renderPage("Allowed", <p>The work can go on. Let the same call be made again.</p>)
    : renderPage("Declined", <p>The work stays stopped.</p>);
});

interface GuardedCall {
  signedIn: SignedIn;
  incident: Incident;
  may: MayDecide;
}

/** Who is signed in, and about what; or the page that stands in the way. */
async function whoAndWhat(c: AppContext): Promise<Response | GuardedCall> {
  const id = c.req.param("id") ?? "";
  const signedIn = await sessionUser(c);
  if (signedIn === undefined) return c.redirect(signInPath(`/confirm/${encodeURIComponent(id)}`), 303);
  const incident = await findIncident(c.env.DB, id);
  // One answer: whether there is such an incident is nobody's business who may not decide it.
  if (incident === undefined) return notYours();
  const may = await mayDecideHere(c, signedIn, incident.principal);
  if (may === "no") return notYours();
  return incident.status === "open" && incident.verdict === "confirm" ? { signedIn, incident, may } : over();
}

const notYours = (): Promise<Response> =>
  renderPage(
    "There is nothing here for you to decide",
    <p>
      The link may be wrong. If it is right: you decide about your own work after you sign in by your sign-in
      provider. An administrator decides about the work of others and of services, unless one of both made the
      other's account or key within a week; then another administrator decides, or the recovery code is
      needed.
    </p>,
    { status: 403 },
  );

const over = (): Promise<Response> =>
  renderPage("Nothing to decide", <p>This was decided before, or asks for no decision.</p>);
