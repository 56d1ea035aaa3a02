import { RecoveryCode } from "../layout/recovery-code-field.tsx";
import type { MayDecide } from "../../identity/who-decides.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import { TO_DO, duration, number } from "./words.ts";
import { incidentPath } from "./incidents-page.tsx";
import { Card, Note, callerPath } from "./elements.tsx";

export interface Question {
  incident: Incident;
  /** Other incidents that are answered with this one. */
  together: Incident[];
  /** How long the work may go on once it is allowed. */
  minutes: number;
  /** As src/identity/who-decides.ts says. */
  mayDecide: MayDecide;
}

/** What an admin can do about an open incident, and what else is answered by it. */
export function Decide({ incident, together, minutes, mayDecide }: Question) {
  const { verdict } = incident;
  if (mayDecide === "no") {
    return (
      <Card title="Decide">
        <p>
          This is about your own work, or you or your key and the caller were made by the same account within
          a week, or people here sign in by a provider and you used a key. A program that holds the key could
          be asking: ask another administrator. If there is none, make a recovery code:{" "}
          <code>npm run -s admin -- recovery-code</code>.
        </p>
      </Card>
    );
  }
  return (
    <Card title="Decide">
      <p>{TO_DO[verdict]}</p>
      {together.length > 0 && (
        <>
          <p>
            {together.length === 1 ? "Another rule waits" : `${number(together.length)} other rules wait`} for
            the same answer. Allow or decline answers all of them:
          </p>
          <ul>
            {together.map(({ id, rule, observed, threshold }) => (
              <li>
                <a href={incidentPath(id)}>{rule}</a>: {number(observed)} seen, {number(threshold)} allowed
              </li>
            ))}
          </ul>
        </>
      )}
      <form method="post" action={incidentPath(incident.id)}>
        {mayDecide === "with-code" && <RecoveryCode id="recovery-code" />}
        <Note id="note" hint="The audit keeps it, with your name and the time." />
        <div class="actions">
          {verdict !== "flag" && (
            <button class="main" name="decision" value="released">
              Allow for {duration(minutes * 60_000)}
            </button>
          )}
          {verdict === "confirm" && (
            <button name="decision" value="declined">
              Decline
            </button>
          )}
          <button name="decision" value="closed">
            Close
          </button>
        </div>
      </form>
      <p class="quiet">
        Close says that somebody has looked, and allows nothing. To disable the caller, go to{" "}
        <a href={callerPath(incident.principal)}>its page</a>.
      </p>
    </Card>
  );
}
