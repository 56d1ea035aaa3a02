import type { Rule } from "../../detection/rules.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Limit } from "../../policy/schema.ts";
import type { Bucket } from "../../caller/audit/records.ts";
import { AdminEventTable } from "./admin-event-table.tsx";
import { adminPage } from "./admin-page.tsx";
import { CallTable } from "./call-table.tsx";
import { CallerActions, type CallerActionsProps } from "./caller-actions.tsx";
import { CallerFacts } from "./caller-facts.tsx";
import { RateLimits, Restrictions } from "./caller-limits.tsx";
import { Card, Done, callerPath } from "./elements.tsx";
import { IncidentItems } from "./incidents-page.tsx";
import { PeopleTable } from "./people-table.tsx";
import { RuleCounts } from "./rule-counts.tsx";

interface CallerPage extends CallerActionsProps {
  admin: SignedIn;
  limits: Record<Bucket, Limit>;
  rules: readonly Rule[];
  /** The message after a change. */
  message: string | undefined;
  status?: 409;
}

export function callerPage(page: CallerPage): Promise<Response> {
  const { admin, caller, overview, incidents, limits, rules, now, message, status } = page;
  return adminPage(
    {
      admin,
      title: caller.id,
      section: "/admin/callers",
      live: callerPath(caller.id),
      still: message !== undefined && <Done>{message}</Done>,
      ...(status !== undefined && { status }),
    },
    <>
      <CallerActions {...page} />
      <CallerFacts caller={caller} overview={overview} incidents={incidents} now={now} />
      {incidents.length > 0 && (
        <Card title="Open incidents">
          <IncidentItems
            listed={incidents.map((incident) => ({ incident, callers: null }))}
            rules={rules}
            now={now}
          />
        </Card>
      )}
      <div class="columns">
        <Card title="Rate limits">
          <RateLimits overview={overview} limits={limits} />
        </Card>
        <Card title="Restrictions">
          <Restrictions overview={overview} now={now} />
        </Card>
      </div>
      <Card title="Rule counts">
        <RuleCounts counts={overview.counts} />
      </Card>
      <Card title="People">
        <PeopleTable people={overview.people} now={now} />
      </Card>
      <Card title="Latest calls">
        {overview.calls.length === 0 ? (
          <p class="quiet">No calls in the audit.</p>
        ) : (
          <CallTable calls={overview.calls} label="Latest calls" />
        )}
      </Card>
      {overview.adminEvents.length > 0 && (
        <Card title="Decisions and changes">
          <p class="quiet">
            Grants are logged before they are applied; an entry may describe a grant that failed. The audit
            has the complete list.
          </p>
          <AdminEventTable events={overview.adminEvents} label="Decisions and changes" />
        </Card>
      )}
    </>,
  );
}
