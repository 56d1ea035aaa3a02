import type { Rule } from "../../detection/rules.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Page } from "../../database/page.ts";
import type { Listed } from "../../incidents/incident-list.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import { HAPPENED_TO_MANY, didWhat, happened, number } from "./words.ts";
import { adminPage } from "./layout.tsx";
import { Pager, pagePath } from "./pager.tsx";
import { Ago, CallerLink, Chip, StatusChip } from "./elements.tsx";

export const incidentPath = (id: string): string => `/admin/incidents/${id}`;
export const ruleOf = (rules: readonly Rule[], id: string): Rule | undefined =>
  rules.find((rule) => rule.id === id);

interface IncidentsPage {
  admin: SignedIn;
  page: Page<Listed>;
  which: "open" | "all";
  /** A rule: the incidents that one row of the other lists stands for. */
  folded: string | undefined;
  /** Behind which the page begins. */
  cursor: string | undefined;
  rules: readonly Rule[];
  now: number;
}

export function incidentsPage(shown: IncidentsPage): Promise<Response> {
  const { admin, page, which, folded, cursor, rules, now } = shown;
  const list =
    folded === undefined
      ? `/admin/incidents?which=${which}`
      : `/admin/incidents?folded=${encodeURIComponent(folded)}`;
  return adminPage(
    {
      admin,
      title: "Incidents",
      section: "/admin/incidents",
      live: pagePath(list, cursor),
      choice: (
        <nav class="ranges" aria-label="Which incidents">
          <a
            href="/admin/incidents"
            aria-current={folded === undefined && which === "open" ? "true" : undefined}
          >
            Open
          </a>
          <a
            href="/admin/incidents?which=all"
            aria-current={folded === undefined && which === "all" ? "true" : undefined}
          >
            All
          </a>
        </nav>
      ),
    },
    <section class="card" aria-label="Incidents">
      {folded !== undefined && (
        <p class="quiet">Callers without a name that the rule {folded} slowed down.</p>
      )}
      {page.rows.length === 0 ? (
        <p class="quiet">None.</p>
      ) : (
        <IncidentList listed={page.rows} rules={rules} now={now} />
      )}
      <Pager list={list} cursor={cursor} next={page.next} />
    </section>,
  );
}

interface IncidentList {
  listed: readonly Listed[];
  rules: readonly Rule[];
  now: number;
}

/** Incidents in words, each with a link to where it is decided. */
export function IncidentList({ listed, rules, now }: IncidentList) {
  return (
    <ul class="incidents">
      {listed.map(({ incident, callers }) =>
        callers === null ? (
          <OneIncident incident={incident} rules={rules} now={now} />
        ) : (
          <Folded latest={incident} callers={callers} rules={rules} now={now} />
        ),
      )}
    </ul>
  );
}

type Shown = Pick<IncidentList, "rules" | "now">;

function OneIncident({ incident, rules, now }: Shown & { incident: Incident }) {
  return (
    <li id={`incident-${incident.id}`} class={incident.severity}>
      <p class="what">
        <Chip tone={incident.severity}>{incident.severity}</Chip>
        {incident.status !== "open" && <StatusChip status={incident.status} />}
        <span>
          <CallerLink id={incident.principal} /> {didWhat(incident, ruleOf(rules, incident.rule))}.
        </span>
      </p>
      <p class="more">
        <span class="quiet">
          {incident.status === "open" && `${happened(incident, now)} `}
          <Ago at={incident.last_at} now={now} />, rule {incident.rule}
          {incident.count > 1 && `, ${number(incident.count)} times`}
        </span>
        <a class="go" href={incidentPath(incident.id)}>
          {incident.status === "open" ? "Look and decide" : "Look"}
          <span class="hidden">
            : {incident.principal}, {incident.rule}
          </span>
        </a>
      </p>
    </li>
  );
}

/** Many callers without a name that one rule slowed down, none of whom waits for a person. */
function Folded({ latest, callers, rules, now }: Shown & { latest: Incident; callers: number }) {
  const { rule, severity } = latest;
  return (
    <li id={`folded-${rule}`} class={severity}>
      <p class="what">
        <Chip tone={severity}>{severity}</Chip>
        <span>
          {number(callers)} callers without a name. The latest {didWhat(latest, ruleOf(rules, rule))}.
        </span>
      </p>
      <p class="more">
        <span class="quiet">
          {HAPPENED_TO_MANY[latest.verdict]} <Ago at={latest.last_at} now={now} />, rule {rule}
        </span>
        <a class="go" href={`/admin/incidents?folded=${encodeURIComponent(rule)}`}>
          Look at each<span class="hidden">: {rule}</span>
        </a>
      </p>
    </li>
  );
}
