import type { Rule } from "../../flow/rules.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Incident } from "../../windows/incidents.ts";
import { HAPPENED, didWhat, number } from "../words.ts";
import { adminPage } from "./layout.tsx";
import { Ago, CallerLink, Chip, StatusChip } from "./parts.tsx";

export const incidentPath = (id: string): string => `/admin/incidents/${id}`;
export const ruleOf = (rules: readonly Rule[], id: string): Rule | undefined =>
  rules.find((rule) => rule.id === id);

interface IncidentsPage {
  admin: SignedIn;
  /** One page of them. */
  incidents: Incident[];
  /** From 1 on. */
  page: number;
  pages: number;
  isOpenOnly: boolean;
  rules: readonly Rule[];
  now: number;
}

export function incidentsPage({
  admin,
  incidents,
  page,
  pages,
  isOpenOnly,
  rules,
  now,
}: IncidentsPage): Promise<Response> {
  const pathOf = (at: number) => `/admin/incidents?which=${isOpenOnly ? "open" : "all"}&page=${at}`;
  return adminPage(
    {
      admin,
      title: "Incidents",
      section: "/admin/incidents",
      live: pathOf(page),
      choice: (
        <nav class="ranges" aria-label="Which incidents">
          <a href="/admin/incidents" aria-current={isOpenOnly ? "true" : undefined}>
            Open
          </a>
          <a href="/admin/incidents?which=all" aria-current={isOpenOnly ? undefined : "true"}>
            All
          </a>
        </nav>
      ),
    },
    <section class="card" aria-label="Incidents">
      {incidents.length === 0 ? (
        <p class="quiet">None.</p>
      ) : (
        <IncidentList incidents={incidents} rules={rules} now={now} />
      )}
      {pages > 1 && (
        <nav class="ranges" aria-label="Pages">
          {page > 1 && <a href={pathOf(page - 1)}>Before</a>}
          <span class="quiet">
            Page {number(page)} of {number(pages)}
          </span>
          {page < pages && <a href={pathOf(page + 1)}>Next</a>}
        </nav>
      )}
    </section>,
  );
}

/** Incidents in words, each with a link to where it is decided. */
export function IncidentList({ incidents, rules, now }: Pick<IncidentsPage, "incidents" | "rules" | "now">) {
  return (
    <ul class="incidents">
      {incidents.map((incident) => (
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
              {incident.status === "open" && `${HAPPENED[incident.verdict]} `}
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
      ))}
    </ul>
  );
}
