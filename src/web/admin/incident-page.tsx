import type { Rule } from "../../detection/rules.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import type { CallView } from "../../caller/overview.ts";
import { behaviourWords, effectWords, observedWords } from "./incident-words.ts";
import { ruleWords } from "./rule-words.ts";
import { CallTable } from "./call-table.tsx";
import { DecisionForm, type DecisionProps } from "./incident-decision.tsx";
import { incidentPath } from "./incidents-page.tsx";
import { adminPage } from "./admin-page.tsx";
import { Timeline } from "./timeline.tsx";
import { Card, CallerLink, Chip, Done, StatusChip } from "./elements.tsx";

interface IncidentPage extends DecisionProps {
  admin: SignedIn;
  rule: Rule | undefined;
  /** The matching calls that the audit still has, the latest first. */
  calls: CallView[];
  /** Other calls just before them. */
  before: CallView[];
  now: number;
  /** The message after a decision. */
  message: string | undefined;
  status?: 409;
}

export function incidentPage(page: IncidentPage): Promise<Response> {
  const { admin, incident, rule, calls, before, now, message, status } = page;
  return adminPage(
    {
      admin,
      title: `Incident: ${incident.rule}`,
      section: "/admin/incidents",
      live: incidentPath(incident.id),
      still: message !== undefined && <Done>{message}</Done>,
      ...(status !== undefined && { status }),
    },
    <>
      <section class={`card lead ${incident.severity}`} aria-label="Summary">
        <p class="what">
          <Chip tone={incident.severity}>{incident.severity}</Chip>
          <StatusChip status={incident.status} />
        </p>
        <p class="statement">
          <CallerLink id={incident.principal} /> {behaviourWords(incident, rule)}.
        </p>
        {incident.status === "open" && <p>{effectWords(incident, now)}</p>}
      </section>
      {incident.status === "open" && <DecisionForm {...page} />}
      <Card title="Timeline">
        <Timeline incident={incident} calls={calls} />
      </Card>
      <Card title="Matching calls">
        {calls.length === 0 ? (
          <p class="quiet">They have expired from the audit.</p>
        ) : (
          <>
            <p class="quiet">Arguments are redacted as the policy says. People are counted, never named.</p>
            <CallTable calls={calls} label="Matching calls" />
          </>
        )}
      </Card>
      {before.length > 0 && (
        <Card title="Earlier calls">
          <CallTable calls={before} label="Earlier calls" />
        </Card>
      )}
      <RuleCard incident={incident} rule={rule} />
    </>,
  );
}

function RuleCard({ incident, rule }: { incident: Incident; rule: Rule | undefined }) {
  return (
    <Card title="Rule">
      <dl class="facts">
        <dt>Rule</dt>
        <dd>
          {incident.rule}, version {incident.rule_version}
        </dd>
        {incident.correlation_id !== null && (
          <>
            <dt>Last request</dt>
            <dd>
              <code>{incident.correlation_id}</code>
            </dd>
          </>
        )}
        <dt>Seen</dt>
        <dd>{observedWords(incident, rule)}</dd>
        {rule !== undefined && (
          <>
            <dt>Limits</dt>
            <dd>{ruleWords(rule)}</dd>
            <dt>Purpose</dt>
            <dd>{rule.about ?? "The policy gives none."}</dd>
          </>
        )}
      </dl>
      <p>
        <a href="/admin/policy">View the policy</a>
      </p>
    </Card>
  );
}
