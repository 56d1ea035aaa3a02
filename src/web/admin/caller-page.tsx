import type { Rule } from "../../detection/rules.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Limit } from "../../policy/schema.ts";
import { isMostlyRefused } from "../../caller/audit/refusal-share.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import type { Overview } from "../../caller/overview.ts";
import type { Bucket } from "../../caller/audit/records.ts";
import { rolesOf } from "../../admin/callers.ts";
import { classWords, duration, number, plural } from "./words.ts";
import { ActTable } from "./admin-events.tsx";
import { CallTable } from "./calls.tsx";
import { type Acts, CallerActs } from "./caller-actions.tsx";
import { CallerState } from "./callers-page.tsx";
import { IncidentList } from "./incidents-page.tsx";
import { adminPage } from "./layout.tsx";
import { Ago, At, Card, Chip, Done, callerPath } from "./elements.tsx";
import { Table } from "./table.tsx";

interface CallerPage extends Acts {
  admin: SignedIn;
  limits: Record<Bucket, Limit>;
  rules: readonly Rule[];
  said: string | undefined;
  status?: 409;
}

export function callerPage(page: CallerPage): Promise<Response> {
  const { admin, caller, overview, incidents, rules, now, said, status } = page;
  return adminPage(
    {
      admin,
      title: caller.id,
      section: "/admin/callers",
      live: callerPath(caller.id),
      still: said !== undefined && <Done>{said}</Done>,
      ...(status !== undefined && { status }),
    },
    <>
      <CallerActs {...page} />
      <Who {...page} />
      {incidents.length > 0 && (
        <Card title="Open incidents">
          <IncidentList
            listed={incidents.map((incident) => ({ incident, callers: null }))}
            rules={rules}
            now={now}
          />
        </Card>
      )}
      <div class="columns">
        <Card title="Budget now">
          <Budget {...page} />
        </Card>
        <Card title="What holds">
          <Holds {...page} />
        </Card>
      </div>
      <Card title="How far the rules have counted">
        <Counts {...page} />
      </Card>
      <Card title="People it has read about">
        <People {...page} />
      </Card>
      <Card title="Latest calls">
        {overview.calls.length === 0 ? (
          <p class="quiet">None in the audit.</p>
        ) : (
          <CallTable calls={overview.calls} label="Latest calls" />
        )}
      </Card>
      {overview.acts.length > 0 && (
        <Card title="Decisions and changes">
          <p class="quiet">
            Grants are logged before they are applied; an entry may describe a grant that failed. The audit
            has all of them.
          </p>
          <ActTable acts={overview.acts} label="Decisions and changes" />
        </Card>
      )}
    </>,
  );
}

function Who({ caller, overview: { chain, block, refusals }, incidents, now }: CallerPage) {
  const isStoppedBy = (by: Incident["verdict"]) =>
    incidents.some(({ verdict, last_at, window_ms }) => verdict === by && last_at + window_ms > now);
  // Its object knows of a block whose incident was closed, and of one that is over.
  const stopped = block !== null ? "block" : (["confirm", "throttle"] as const).find(isStoppedBy);
  return (
    <section class="card" aria-label="Who it is">
      <dl class="facts">
        <dt>Name</dt>
        <dd>{caller.name ?? "A caller without a name, known by a hash of its network address"}</dd>
        <dt>Kind</dt>
        <dd>{caller.kind ?? "anonymous"}</dd>
        <dt>Roles</dt>
        <dd>{rolesOf(caller).join(", ") || "none"}</dd>
        <dt>State</dt>
        <dd>
          <CallerState
            disabled_at={caller.disabled_at}
            deleted_at={caller.deleted_at}
            stopped={stopped ?? null}
            isMostlyRefused={isMostlyRefused(refusals)}
          />{" "}
          {caller.disabled_at !== null && <At at={caller.disabled_at} />}
        </dd>
        <dt>Latest calls</dt>
        <dd>
          {refusals.calls === 0
            ? "None in the last hour"
            : `${number(refusals.refused)} of the latest ${plural(refusals.calls, "call")} refused, within an hour`}
        </dd>
        {caller.created_by !== null && (
          <>
            <dt>Made by</dt>
            <dd>{caller.created_by}</dd>
          </>
        )}
        <dt>Audit</dt>
        <dd>
          {chain === null ? (
            "No record yet"
          ) : (
            <>
              {plural(chain.records, "record")} since <At at={chain.started_at} />
            </>
          )}
        </dd>
      </dl>
    </section>
  );
}

const BUCKET: Record<Bucket, string> = { calls: "Calls", discovery: "Lists and handshakes" };

function Budget({ overview, limits }: CallerPage) {
  return (
    <ul class="meters">
      {overview.budget.map(({ bucket, used }) => (
        <li>
          <span id={`budget-${bucket}`}>
            {BUCKET[bucket]}: {number(used)} of {number(limits[bucket].max)} in{" "}
            {number(limits[bucket].window_s)} s
          </span>
          <meter
            aria-labelledby={`budget-${bucket}`}
            max={limits[bucket].max}
            high={limits[bucket].max * 0.8}
            value={used}
          />
        </li>
      ))}
    </ul>
  );
}

function Holds({ overview: { block, taint, releases }, now }: CallerPage) {
  return (
    <ul class="plain-list">
      <li>
        {block === null ? (
          <Chip tone="good">no block</Chip>
        ) : (
          <>
            <Chip tone="high">blocked</Chip> by {block.rule} until <At at={block.until} />
          </>
        )}
      </li>
      <li>
        {taint === null ? (
          <Chip tone="good">not tainted</Chip>
        ) : (
          <>
            <Chip tone="medium">tainted</Chip> it read text that reads like an instruction{" "}
            <Ago at={taint.at} now={now} />, in call {number(taint.attempt)}
          </>
        )}
      </li>
      {releases.map(({ rule, until, allowance }) => (
        <li>
          <Chip tone="low">allowed</Chip> past {rule}, {number(allowance)} more, until <At at={until} />
        </li>
      ))}
    </ul>
  );
}

const WHAT: Record<Overview["counts"][number]["what"], [one: string, many: string]> = {
  people: ["person", "people"],
  records: ["record", "records"],
  bytes: ["byte", "bytes"],
  products: ["product", "products"],
};

/** Rules that have counted something; the others, which are many, open on demand. */
function Counts({ overview: { counts } }: CallerPage) {
  const started = counts.filter(({ observed }) => observed > 0);
  const idle = counts.filter(({ observed }) => observed === 0);
  return (
    <>
      {started.length === 0 && <p class="quiet">None has counted anything lately.</p>}
      {started.length > 0 && <CountTable counts={started} label="How far the rules have counted" />}
      {idle.length > 0 && (
        <details id="idle-rules">
          <summary>Limits that nothing was counted against ({number(idle.length)})</summary>
          <CountTable counts={idle} label="Limits that nothing was counted against" />
        </details>
      )}
    </>
  );
}

function CountTable({ counts, label }: Pick<Overview, "counts"> & { label: string }) {
  return (
    <Table
      label={label}
      rows={counts}
      idOf={({ rule, window_ms }) => `count-${rule}-${window_ms}`}
      columns={[
        { name: "Rule", kind: "row", cell: ({ rule }) => rule },
        { name: "Window", cell: ({ window_ms }) => duration(window_ms) },
        { name: "So far", kind: "number", cell: SoFar },
        { name: "Allowed", value: ({ max }) => max },
        { name: "How far", cell: HowFar },
      ]}
    />
  );
}

function SoFar({ observed, isEstimate, what }: Overview["counts"][number]) {
  const counted = plural(observed, ...WHAT[what]);
  return isEstimate ? `up to ${counted}` : counted;
}

function HowFar({ rule, window_ms, observed, max }: Overview["counts"][number]) {
  return (
    <meter
      aria-label={`${rule} in ${duration(window_ms)}`}
      max={max}
      high={max * 0.8}
      value={Math.min(observed, max)}
    />
  );
}

const PEOPLE_SHOWN = 40;

function People({ overview: { people }, now }: CallerPage) {
  if (people.length === 0) return <p class="quiet">Nobody within a day.</p>;
  return (
    <>
      <p class="quiet">
        {number(people.length)} within a day. Each stands for a person by a keyed hash: the same for the same
        person, and nobody can find the person from it.
      </p>
      <Table
        label="People it has read about"
        rows={people.slice(0, PEOPLE_SHOWN)}
        idOf={({ token }) => `person-${token}`}
        columns={[
          { name: "Person", kind: "row", cell: ({ token }) => <code>{token}</code> },
          { name: "What was read", cell: ({ classes }) => classWords(classes) || "nothing yet" },
          { name: "Last", kind: "short", cell: ({ seen_at }) => <Ago at={seen_at} now={now} /> },
        ]}
      />
    </>
  );
}
