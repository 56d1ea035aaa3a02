import { Hono } from "hono";
import { ruleOf } from "../admin/pages/incidents.tsx";
import type { AppContext, AppTypes } from "../app-types.ts";
import { sessionUser } from "../identity/browser-session.ts";
import { signInPath } from "../identity/next-path.ts";
import { guardPages, readForm, textOf } from "../identity/page-guards.ts";
import { renderPage } from "../identity/page.tsx";
import type { SignedIn } from "../identity/sessions.ts";
import { clip, plainLine } from "../text/plain-text.ts";
import { CallerObject } from "../windows/caller-object.ts";
import { findIncident } from "../windows/incident-rows.ts";
import type { Incident } from "../windows/incidents.ts";
import { confirmPage } from "./confirm-page.tsx";
import { mayDecide } from "../identity/who-may.ts";

/** Where a person decides whether work that the flow rules stopped may go on. */
export const confirmPages = new Hono<AppTypes>();

const NOTE_MAX = 500;

guardPages(confirmPages, ["/confirm/*"]);

confirmPages.get("/confirm/:id", async (c) => {
  const asked = await whoAndWhat(c);
  if (asked instanceof Response) return asked;
  const { id, principal } = asked.incident;
  const waiting = await new CallerObject(c.env.USER_WINDOWS, principal).decidedWith(id);
  const together = waiting.filter((each) => each.id !== id);
  const { rules, confirmation } = c.var.policy;
  return confirmPage({
    ...asked,
    together,
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
  const decided = await new CallerObject(c.env.USER_WINDOWS, incident.principal).decide({
    incident: incident.id,
    decision: decision === "allow" ? "released" : "declined",
    by: signedIn.user.userId,
    note: clip(plainLine(textOf(form, "note")), NOTE_MAX) || null,
  });
  if (decided === undefined) return over();
  return decision === "allow"
    ? renderPage("Allowed", <p>The work can go on. Let the same call be made again.</p>)
    : renderPage("Declined", <p>The work stays stopped.</p>);
});

/** Who is signed in, and about what; or the page that stands in the way. */
async function whoAndWhat(c: AppContext): Promise<Response | { signedIn: SignedIn; incident: Incident }> {
  const id = c.req.param("id") ?? "";
  const signedIn = await sessionUser(c);
  if (signedIn === undefined) return c.redirect(signInPath(`/confirm/${encodeURIComponent(id)}`), 303);
  const incident = await findIncident(c.env.DB, id);
  // One answer: whether there is such an incident is nobody's business who may not decide it.
  if (incident === undefined || !(await mayDecide(c.env.DB, signedIn, incident.principal, Date.now()))) {
    return renderPage(
      "There is nothing here for you to decide",
      <p>
        The link may be wrong. Where it is right, sign in by your sign-in provider where it is about your own
        work; an administrator decides about the work of others and of services.
      </p>,
      { status: 403 },
    );
  }
  return incident.status === "open" && incident.verdict === "confirm" ? { signedIn, incident } : over();
}

const over = (): Promise<Response> =>
  renderPage("Nothing to decide", <p>This was decided before, or asks for no decision.</p>);
