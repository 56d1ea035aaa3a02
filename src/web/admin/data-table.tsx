import type { Child } from "hono/jsx";
import { number } from "./units.ts";

/** A column's name and cells: any content, or plain numbers. */
type Column<Row> = { name: string; /** The colour of the column's line in a chart. */ colour?: string } & (
  | {
      /** `row` is the heading of its row; `number` and `short` stay on one line, `long` is wide. */
      kind?: "row" | "number" | "short" | "long";
      cell: (row: Row) => Child;
      value?: Numbers<Row>;
    }
  | { value: Numbers<Row> }
);
/** The values that public/assets/admin.js draws charts from. */
type Numbers<Row> = (row: Row) => number | null;

interface TableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  /** The element id of a row, which keeps its identity when the page refreshes. */
  idOf?: (row: Row) => string;
  /** Whether to limit the height, so that rows scroll. */
  isTall?: boolean;
}

/**
 * A table in a box that scrolls if it is too wide, also by keyboard. On a phone each row is a card whose cells show the names
 * of their columns (tables.css). Some browsers no longer expose such cards as a table, so the roles are explicit.
 */
export function Table<Row>({ label, columns, rows, idOf, isTall = false }: TableProps<Row>) {
  return (
    <div class={isTall ? "scroll tall" : "scroll"} role="group" aria-label={label} tabindex={0}>
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th
                scope="col"
                role="columnheader"
                class={kindOf(column) === "number" ? "number" : undefined}
                data-colour={column.colour}
              >
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr role="row" id={idOf?.(row)}>
              {columns.map((column) => (
                <Cell column={column} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell<Row>({ column, row }: { column: Column<Row>; row: Row }) {
  const kind = kindOf(column);
  const value = column.value?.(row) ?? null;
  const shown = "cell" in column ? column.cell(row) : value === null ? "–" : number(value);
  const data = column.value === undefined ? undefined : (value ?? "");
  if (kind === "row")
    return (
      <th scope="row" role="rowheader" data-value={data}>
        {shown}
      </th>
    );
  return (
    <td role="cell" class={kind} data-column={column.name} data-value={data}>
      {shown}
    </td>
  );
}

const kindOf = <Row,>(column: Column<Row>) => ("cell" in column ? column.kind : "number");
