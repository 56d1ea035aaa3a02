import type { Rule } from "../../detection/rules.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Series } from "../../telemetry/metrics/series.ts";
import type { Listed } from "../../incidents/incident-list.ts";
import { RANGES, type RangeName, chartsOf } from "./chart-data.ts";
import { number } from "./units.ts";
import { ChartFigure } from "./chart-figure.tsx";
import { IncidentItems } from "./incidents-page.tsx";
import { adminPage } from "./admin-page.tsx";
import { Card, Tile } from "./elements.tsx";
import { Table } from "./data-table.tsx";

interface OverviewPage {
  admin: SignedIn;
  range: RangeName;
  /** Undefined if the metrics can't be read. */
  series: Series | undefined;
  /** The most urgent open incidents. */
  listed: readonly Listed[];
  counts: { open: number; asking: number };
  rules: readonly Rule[];
  now: number;
}

const SHOWN = 6;

/** Open incidents, calls over time, and tools. */
export function overviewPage(page: OverviewPage): Promise<Response> {
  const { admin, range, series, listed, counts, rules, now } = page;
  return adminPage(
    {
      admin,
      title: "Overview",
      section: "/admin",
      live: `/admin?range=${range}`,
      charts: true,
      choice: <RangeChoice range={range} />,
    },
    <>
      <Totals series={series} counts={counts} />
      <Card title="Incidents to review">
        {listed.length === 0 ? (
          <p class="quiet">None. A new incident appears here within three seconds.</p>
        ) : (
          <IncidentItems listed={listed.slice(0, SHOWN)} rules={rules} now={now} />
        )}
        {listed.length > SHOWN && (
          <p>
            <a href="/admin/incidents">View all {number(counts.open)} open incidents</a>
          </p>
        )}
      </Card>
      {series === undefined ? (
        <p class="card">The metrics can't be read. See the server's log.</p>
      ) : (
        <>
          <div class="charts">
            {chartsOf(series.points).map((chart) => (
              <ChartFigure chart={chart} isLong={range !== "1h"} />
            ))}
          </div>
          <Tools tools={series.tools} range={range} />
        </>
      )}
    </>,
  );
}

function RangeChoice({ range }: { range: RangeName }) {
  return (
    <nav class="ranges" aria-label="Time range">
      {Object.entries(RANGES).map(([name, { label }]) => (
        <a href={`/admin?range=${name}`} aria-current={name === range ? "true" : undefined}>
          {label}
        </a>
      ))}
    </nav>
  );
}

function Totals({ series, counts }: Pick<OverviewPage, "series" | "counts">) {
  const { open, asking } = counts;
  const points = series?.points ?? [];
  const sum = (valueOf: (point: Series["points"][number]) => number) =>
    points.reduce((total, point) => total + valueOf(point), 0);
  const errors = sum((point) => point.errors);
  const degraded = sum((point) => point.degraded);
  const latest = points.findLast(({ p95_ms }) => p95_ms !== null);
  const shown = (value: number) => (series === undefined ? "–" : number(value));
  return (
    <dl class="tiles">
      <Tile name="To decide" value={number(asking)} tone={asking > 0 ? "bad" : undefined} />
      <Tile name="Open incidents" value={number(open)} />
      <Tile name="Calls" value={shown(sum((point) => point.calls))} />
      <Tile name="Refused" value={shown(sum((point) => point.refused))} />
      <Tile name="Errors" value={shown(errors)} tone={errors > 0 ? "bad" : undefined} />
      <Tile name="Unguarded" value={shown(degraded)} tone={degraded > 0 ? "bad" : undefined} />
      <Tile
        name="Latest p95"
        value={typeof latest?.p95_ms === "number" ? `${number(Math.round(latest.p95_ms))} ms` : "–"}
      />
    </dl>
  );
}

function Tools({ tools, range }: { tools: Series["tools"]; range: RangeName }) {
  const title = `Tools, ${RANGES[range].last}`;
  return (
    <Card title={title} id="tools">
      {tools.length === 0 ? (
        <p class="quiet">No calls.</p>
      ) : (
        <Table
          label={title}
          rows={tools}
          columns={[
            { name: "Tool", kind: "row", cell: ({ name }) => <code>{name}</code> },
            { name: "Calls", value: ({ calls }) => calls },
            { name: "Refused", value: ({ refused }) => refused },
            { name: "Errors", value: ({ errors }) => errors },
            { name: "p95, ms", value: ({ p95_ms }) => (p95_ms === null ? null : Math.round(p95_ms)) },
          ]}
        />
      )}
    </Card>
  );
}
