import { RecoveryCode } from "../layout/recovery-code-field.tsx";
import type { MayDecide } from "../../identity/who-decides.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import { ADVICE } from "./incident-words.ts";
import { duration, number } from "./units.ts";
import { incidentPath } from "./incidents-page.tsx";
import { Card, Note, callerPath } from "./elements.tsx";

export interface DecisionProps {
  incident: Incident;
  /** Other incidents that get the same decision. */
  together: Incident[];
  /** How long an allowance lasts. */
  minutes: number;
  /** Whether this admin may decide (src/identity/who-decides.ts). */
  mayDecide: MayDecide;
}

/** The form that decides an open incident and all that wait for the same decision. */
export function DecisionForm({ incident, together, minutes, mayDecide }: DecisionProps) {
  const { verdict } = incident;
  if (mayDecide === "no") {
    return (
      <Card title="Decision">
        <p>You can't decide this incident, because one of these is true:</p>
        <ul>
          <li>It is about your own work.</li>
          <li>The same account created the caller and your account or key within a week.</li>
          <li>You signed in with a key, and this server has a sign-in provider.</li>
        </ul>
        <p>
          A program that holds the key could be asking. Ask another administrator. If there is none, create a
          recovery code: <code>npx product-catalog-mcp users recovery-code</code>.
        </p>
      </Card>
    );
  }
  return (
    <Card title="Decision">
      <p>{ADVICE[verdict]}</p>
      {together.length > 0 && (
        <>
          <p>
            {together.length === 1 ? "Another rule waits" : `${number(together.length)} other rules wait`} for
            the same decision. Allow and Decline apply to all of them:
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
        <Note id="note" hint="Kept in the audit with your name and the time." />
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
        Close marks the incident as reviewed and allows nothing. To disable the caller, go to{" "}
        <a href={callerPath(incident.principal)}>its page</a>.
      </p>
    </Card>
  );
}
