import type { Rule } from "../../detection/rules.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import type { CallView } from "../../caller/overview.ts";
import { didWhat, happened, ruleWords, seenWords } from "./words.ts";
import { CallTable } from "./calls.tsx";
import { Decide, type Question } from "./incident-decision.tsx";
import { incidentPath } from "./incidents-page.tsx";
import { adminPage } from "./layout.tsx";
import { Timeline } from "./timeline.tsx";
import { Card, CallerLink, Chip, Done, StatusChip } from "./elements.tsx";

interface IncidentPage extends Question {
  admin: SignedIn;
  rule: Rule | undefined;
  /** The attempts that matched which the audit still holds, the latest first. */
  calls: CallView[];
  /** What else it had called just before. */
  before: CallView[];
  now: number;
  said: string | undefined;
  status?: 409;
}

export function incidentPage(page: IncidentPage): Promise<Response> {
  const { admin, incident, rule, calls, before, now, said, status } = page;
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
        {incident.status === "open" && <p>{happened(incident, now)}</p>}
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

function RuleCard({ incident, rule }: { incident: Incident; rule: Rule | undefined }) {
  return (
    <Card title="The rule">
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
        <dd>{seenWords(incident, rule)}</dd>
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
