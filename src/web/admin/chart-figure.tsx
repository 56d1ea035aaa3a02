import type { Chart } from "./chart-data.ts";
import { Table } from "./data-table.tsx";

const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "short", timeZone: "UTC" });
const DAY_CLOCK = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
});

/** A chart, and the table that public/assets/admin.js draws it from. Without scripts only the table is shown. */
export function ChartFigure({ chart, isLong }: { chart: Chart; isLong: boolean }) {
  const { id, title, kind, unit, columns, moments } = chart;
  const summary = columns.map(({ name, sum }) => `${name} ${sum}`).join(", ");
  const format = isLong ? DAY_CLOCK : CLOCK;
  return (
    <figure class="card chart" id={`chart-${id}`} data-kind={kind}>
      <figcaption>
        <h2>{title}</h2>
        {columns.length === 0 && <p class="quiet">None.</p>}
        <ul class="legend">
          {columns.map(({ name, colour, sum }) => (
            <li class={`legend-${colour}`}>
              {name} <b>{sum}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      {columns.length > 0 && (
        <>
          {/* The script draws here, so a refresh must not replace the children. */}
          <div
            class="plot"
            id={`plot-${id}`}
            role="img"
            aria-label={`${title}: ${summary}. The next table has the numbers.`}
            hx-morph-skip-children=""
          />
          <details>
            <summary>Numbers{unit === "" ? "" : `, in ${unit}`}</summary>
            <Table
              label={`${title}, in numbers`}
              isTall
              rows={moments.map((at, row) => ({ at, row }))}
              columns={[
                {
                  name: "Time, UTC",
                  kind: "row",
                  cell: ({ at }) => format.format(at),
                  value: ({ at }) => at,
                },
                ...columns.map(({ name, colour, values }) => ({
                  name,
                  colour,
                  value: ({ row }: { row: number }) => values[row] ?? null,
                })),
              ]}
            />
          </details>
        </>
      )}
    </figure>
  );
}
