import type { Chart } from "../series.ts";
import { number } from "../words.ts";

const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "short", timeZone: "UTC" });
const DAY_CLOCK = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
});

/** A chart and the table that public/assets/admin.js draws it from; without scripts there is the table. */
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
          {/* What is drawn in there is the script's, and no refresh may take it. */}
          <div
            class="plot"
            id={`plot-${id}`}
            role="img"
            aria-label={`${title}: ${summary}. The numbers are in the table that follows.`}
            hx-morph-skip-children=""
          />
          <details>
            <summary>Numbers{unit === "" ? "" : `, in ${unit}`}</summary>
            <div class="scroll tall" role="group" aria-label={`${title}, in numbers`} tabindex={0}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">Time, UTC</th>
                    {columns.map(({ name, colour }) => (
                      <th scope="col" class="number" data-colour={colour}>
                        {name}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {moments.map((at, row) => (
                    <tr data-at={at}>
                      <th scope="row">{format.format(at)}</th>
                      {columns.map(({ values }) => {
                        const value = values[row] ?? null;
                        return (
                          <td class="number" data-value={value ?? ""}>
                            {value === null ? "–" : number(value)}
                          </td>
                        );
                      })}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </figure>
  );
}
