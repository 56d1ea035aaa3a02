import type { Child } from "hono/jsx";
import { number } from "./words.ts";

/** A column's name, and what is in it: anything, or bare numbers. */
type Column<Row> = { name: string; /** Of its line in a chart. */ colour?: string } & (
  | {
      /** `row` names its row; `number` and `short` keep to one line, `long` has room. */
      kind?: "row" | "number" | "short" | "long";
      cell: (row: Row) => Child;
      value?: Numbers<Row>;
    }
  | { value: Numbers<Row> }
);
/** What public/assets/admin.js draws charts from. */
type Numbers<Row> = (row: Row) => number | null;

interface TableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  /** Of a row that is to be the same one when the page refreshes itself. */
  idOf?: (row: Row) => string;
  /** So many rows that they scroll in a box. */
  isTall?: boolean;
}

/**
 * A table in a box that scrolls where it is too wide, which the keyboard reaches; on a phone each row is a card, whose
 * cells carry their columns' names (tables.css). What is laid out as a card is no table to some browsers any more:
 * the roles say that it is.
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
