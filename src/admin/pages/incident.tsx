import type { Child } from "hono/jsx";
import type { Rule } from "../../flow/rules.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Incident } from "../../windows/incidents.ts";
import type { CallView } from "../../windows/overview.ts";
import { HAPPENED, TO_DO, didWhat, duration, number, ruleWords } from "../words.ts";
import { CallTable } from "./calls.tsx";
import { incidentPath } from "./incidents.tsx";
import { adminPage } from "./layout.tsx";
import { At, Card, CallerLink, Chip, Done, Note, StatusChip, callerPath } from "./parts.tsx";

export interface IncidentPage {
  admin: SignedIn;
  incident: Incident;
  rule: Rule | undefined;
  /** The attempts that matched which the audit still holds, the latest first. */
  calls: CallView[];
  /** What else it had called just before. */
  before: CallView[];
  /** Other incidents that are answered with this one. */
  together: Incident[];
  /** How long the work may go on once it is let through. */
  minutes: number;
  /** False about one's own work, unless one signed in at the provider. */
  mayDecide: boolean;
  said: string | undefined;
  status?: 409;
}

export function incidentPage(page: IncidentPage): Promise<Response> {
  const { admin, incident, rule, calls, before, said, status } = page;
  return adminPage(
    {
      admin,
      title: `Incident: ${incident.rule}`,
      section: "/admin/incidents",
      live: incidentPath(incident.id),
      still: said !== undefined && <Done>{said}</Done>,
      ...(status !== undefined && { status }),
    },
    <>
      <section class={`card lead ${incident.severity}`} aria-label="What happened">
        <p class="what">
          <Chip tone={incident.severity}>{incident.severity}</Chip>
          <StatusChip status={incident.status} />
        </p>
        <p class="statement">
          <CallerLink id={incident.principal} /> {didWhat(incident, rule)}.
        </p>
        {incident.status === "open" && <p>{HAPPENED[incident.verdict]}</p>}
      </section>
      {incident.status === "open" && <Decide {...page} />}
      <Card title="Timeline">
        <Timeline incident={incident} calls={calls} />
      </Card>
      <Card title="The calls that matched">
        {calls.length === 0 ? (
          <p class="quiet">The audit holds none of them any more.</p>
        ) : (
          <>
            <p class="quiet">
              Arguments as the policy lets them be seen; people are numbers here, never names.
            </p>
            <CallTable calls={calls} label="The calls that matched" />
          </>
        )}
      </Card>
      {before.length > 0 && (
        <Card title="What it called before">
          <CallTable calls={before} label="What it called before" />
        </Card>
      )}
      <RuleCard incident={incident} rule={rule} />
    </>,
  );
}

function Decide({ incident, together, minutes, mayDecide }: IncidentPage) {
  const { verdict } = incident;
  if (!mayDecide) {
    return (
      <Card title="Decide">
        <p>
          This is about your own work, and you signed in with an access key, which a program that holds it
          could do too. Sign in by your sign-in provider, or ask another administrator.
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
            the same answer. Letting it through, or declining, answers all of them:
          </p>
          <ul>
            {together.map(({ id, rule, observed, threshold }) => (
              <li>
                <a href={incidentPath(id)}>{rule}</a>: {number(observed)} seen, {number(threshold)} let
                through
              </li>
            ))}
          </ul>
        </>
      )}
      <form method="post" action={incidentPath(incident.id)}>
        <Note id="note" hint="It stands in the audit, with your name and the time." />
        <div class="actions">
          {verdict !== "flag" && (
            <button class="main" name="decision" value="released">
              Let through for {duration(minutes * 60_000)}
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
        Close says that somebody has looked, and lets nothing through. To disable the caller, go to{" "}
        <a href={callerPath(incident.principal)}>its page</a>.
      </p>
    </Card>
  );
}

function Timeline({ incident, calls }: { incident: Incident; calls: CallView[] }) {
  const { first_at, last_at, count, tool, decided_at, decided_by, note, status } = incident;
  const first = calls.at(-1);
  const steps: { at: number; said: Child }[] = [
    ...(first === undefined
      ? []
      : [
          {
            at: first.at,
            said: (
              <>
                The first of the calls that matched: <code>{first.name}</code>
              </>
            ),
          },
        ]),
    { at: first_at, said: "The rule spoke." },
    ...(count > 1
      ? [
          {
            at: last_at,
            said: (
              <>
                It spoke again, {number(count)} times so far, last at <code>{tool}</code>.
              </>
            ),
          },
        ]
      : []),
    ...(decided_at === null
      ? []
      : [
          {
            at: decided_at,
            said: (
              <>
                {decided_by === null
                  ? "Closed by a later incident of the same rule."
                  : `${DECIDED[status]} by ${decided_by === "principal" ? "the caller, in its client's form" : decided_by}.`}
                {note !== null && <q class="note">{note}</q>}
              </>
            ),
          },
        ]),
  ];
  return (
    <ol class="timeline">
      {steps.map(({ at, said }) => (
        <li>
          <At at={at} />
          <span>{said}</span>
        </li>
      ))}
    </ol>
  );
}

const DECIDED: Record<Incident["status"], string> = {
  open: "Noted",
  released: "Let through",
  declined: "Declined",
  closed: "Closed",
};

function RuleCard({ incident, rule }: { incident: Incident; rule: Rule | undefined }) {
  return (
    <Card title="The rule">
      <dl class="facts">
        <dt>Rule</dt>
        <dd>
          {incident.rule}, version {incident.rule_version}
        </dd>
        <dt>Seen</dt>
        <dd>
          {number(incident.observed)}, where {number(incident.threshold)}{" "}
          {incident.threshold === 1 ? "is" : "are"} let through
          {incident.window_ms > 0 && ` in ${duration(incident.window_ms)}`}
        </dd>
        {rule !== undefined && (
          <>
            <dt>Limits</dt>
            <dd>{ruleWords(rule)}</dd>
            <dt>Why it is there</dt>
            <dd>{rule.about ?? "The policy does not say."}</dd>
          </>
        )}
      </dl>
      <p>
        <a href="/admin/policy">The policy in force</a>
      </p>
    </Card>
  );
}
