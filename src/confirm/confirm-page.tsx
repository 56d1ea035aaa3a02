import { renderPage } from "../identity/page.tsx";
import type { SignedIn } from "../identity/sessions.ts";
import type { Incident } from "../windows/incidents.ts";

interface Question {
  signedIn: SignedIn;
  incident: Incident;
  /** Other incidents that are answered with it. */
  together: Incident[];
  /** How long the work may go on once it is allowed. */
  minutes: number;
}

/** The question. What the rule saw is shown to an administrator, never to the one whose work it is about. */
export function confirmPage({ signedIn, incident, together, minutes }: Question): Promise<Response> {
  const isOwn = signedIn.user.userId === incident.principal;
  return renderPage(
    isOwn ? "Is this your work?" : `Let ${incident.principal} go on?`,
    <form method="post">
      <p>
        {isOwn
          ? "An assistant that works with your access was stopped before its next call. Allow it only if you asked for what it is doing."
          : "A caller was stopped before its next call. Allow it only if you know what it is doing, and for whom. It is asked about again where it goes much further."}
      </p>
      <dl>
        <dt>Call</dt>
        <dd>{incident.tool}</dd>
        <dt>When</dt>
        <dd>
          <time datetime={new Date(incident.last_at).toISOString()}>
            {new Date(incident.last_at).toUTCString()}
          </time>
        </dd>
        {!isOwn && <Seen {...incident} />}
      </dl>
      {!isOwn && (
        <>
          {together.length > 0 && (
            <p>
              Waiting for the same answer, and allowed or declined with it:{" "}
              {together.map(({ rule }) => rule).join(", ")}.
            </p>
          )}
          <label for="note">Note, for whoever looks at this later</label>
          <input id="note" type="text" name="note" maxlength={500} autocomplete="off" />
        </>
      )}
      <div class="actions">
        <button class="main" name="decision" value="allow">
          Allow for {minutes} minutes
        </button>
        <button name="decision" value="decline">
          Decline
        </button>
      </div>
    </form>,
  );
}

function Seen({ rule, rule_version, observed, threshold, window_ms, count }: Incident) {
  return (
    <>
      <dt>Rule</dt>
      <dd>
        {rule} (version {rule_version})
      </dd>
      <dt>Seen</dt>
      <dd>
        {observed}, where {threshold} {threshold === 1 ? "is" : "are"} let through
        {window_ms > 0 && ` in ${Math.round(window_ms / 60_000)} minutes`}
      </dd>
      <dt>How often</dt>
      <dd>{count}</dd>
    </>
  );
}
