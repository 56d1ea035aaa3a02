import type { Rule } from "../../detection/rules.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Page } from "../../database/page.ts";
import type { Listed } from "../../incidents/incident-list.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import { EFFECT_ON_MANY, behaviourWords, effectWords } from "./incident-words.ts";
import { number } from "./units.ts";
import { adminPage } from "./admin-page.tsx";
import { Pager, pagePath } from "./pager.tsx";
import { Ago, CallerLink, Chip, StatusChip } from "./elements.tsx";

export const incidentPath = (id: string): string => `/admin/incidents/${id}`;
export const ruleOf = (rules: readonly Rule[], id: string): Rule | undefined =>
  rules.find((rule) => rule.id === id);

interface IncidentsPage {
  admin: SignedIn;
  page: Page<Listed>;
  which: "open" | "all";
  /** A rule: lists the incidents of anonymous callers that other lists show as one row. */
  folded: string | undefined;
  /** The end of the previous page; undefined on the first. */
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
      {folded !== undefined && <p class="quiet">Anonymous callers that the rule {folded} slowed down.</p>}
      {page.rows.length === 0 ? (
        <p class="quiet">No incidents.</p>
      ) : (
        <IncidentItems listed={page.rows} rules={rules} now={now} />
      )}
      <Pager list={list} cursor={cursor} next={page.next} />
    </section>,
  );
}

interface IncidentItemsProps {
  listed: readonly Listed[];
  rules: readonly Rule[];
  now: number;
}

/** Incidents in words, each with a link to its page. */
export function IncidentItems({ listed, rules, now }: IncidentItemsProps) {
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

type ItemContext = Pick<IncidentItemsProps, "rules" | "now">;

function OneIncident({ incident, rules, now }: ItemContext & { incident: Incident }) {
  return (
    <li id={`incident-${incident.id}`} class={incident.severity}>
      <p class="what">
        <Chip tone={incident.severity}>{incident.severity}</Chip>
        {incident.status !== "open" && <StatusChip status={incident.status} />}
        <span>
          <CallerLink id={incident.principal} /> {behaviourWords(incident, ruleOf(rules, incident.rule))}.
        </span>
      </p>
      <p class="more">
        <span class="quiet">
          {incident.status === "open" && `${effectWords(incident, now)} `}
          <Ago at={incident.last_at} now={now} />, rule {incident.rule}
          {incident.count > 1 && `, ${number(incident.count)} times`}
        </span>
        <a class="go" href={incidentPath(incident.id)}>
          {incident.status === "open" ? "Review" : "View"}
          <span class="hidden">
            : {incident.principal}, {incident.rule}
          </span>
        </a>
      </p>
    </li>
  );
}

/** One row for many anonymous callers that one rule slowed down. None of them waits for a decision. */
function Folded({ latest, callers, rules, now }: ItemContext & { latest: Incident; callers: number }) {
  const { rule, severity } = latest;
  return (
    <li id={`folded-${rule}`} class={severity}>
      <p class="what">
        <Chip tone={severity}>{severity}</Chip>
        <span>
          {number(callers)} anonymous callers. The latest {behaviourWords(latest, ruleOf(rules, rule))}.
        </span>
      </p>
      <p class="more">
        <span class="quiet">
          {EFFECT_ON_MANY[latest.verdict]} <Ago at={latest.last_at} now={now} />, rule {rule}
        </span>
        <a class="go" href={`/admin/incidents?folded=${encodeURIComponent(rule)}`}>
          View all<span class="hidden">: {rule}</span>
        </a>
      </p>
    </li>
  );
}
