import * as z from "zod";
import { parseJson } from "../read-file.ts";
import { plainTable } from "../table.ts";

/** A user, key or incident as the admin API lists it. */
export type Row = Record<string, string | null>;

type Cell = (row: Row) => string;
/** A field of the row, or a heading with the function that prints its cell. */
export type Column = string | readonly [head: string, cell: Cell];

const rolesSchema = z.array(z.string());
const field = (row: Row, name: string): string => row[name] ?? "";
const day = (row: Row, name: string): string => field(row, name).slice(0, 10);

/** The limits of a key: the roles it is narrowed to, and whether it needs signed requests. */
export const keyLimits: Cell = ({ roles = null, signature }) =>
  [...rolesSchema.parse(parseJson(roles ?? "[]")), ...(signature === "required" ? ["signed"] : [])].join(
    ", ",
  );

/** When a key expired, was revoked, or will expire. */
export const KEY_END: Column = [
  "end",
  (row) => {
    const [revoked, expires] = [day(row, "revoked_at"), day(row, "expires_at")];
    if (revoked !== "") return `revoked ${revoked}`;
    return expires === "" ? "" : `expires ${expires}`;
  },
];

export const INCIDENT_COLUMNS: readonly Column[] = [
  // Incidents are recent, so the year is left out.
  ["last (UTC)", (row) => field(row, "last_at").slice(5, 16).replace("T", " ")],
  [
    "principal",
    ({ principal, callers = null }) => (callers === null ? (principal ?? "") : `${callers} anonymous`),
  ],
  "rule",
  // The severity follows from the verdict, except for critical incidents.
  ["verdict", ({ severity, verdict }) => `${severity === "critical" ? "critical " : ""}${verdict ?? ""}`],
  ["tool", ({ tool, count }) => `${tool ?? ""}${count === "1" ? "" : ` x${count ?? ""}`}`],
  [
    "status",
    ({ status, decided_by }) => `${status ?? ""}${decided_by === null ? "" : ` by ${decided_by ?? ""}`}`,
  ],
];

/** Field names become headings, and times become days, or minutes if the time is that of the last use. */
function cellOf(column: Column): readonly [head: string, cell: Cell] {
  if (typeof column !== "string") return column;
  if (column === "last_used_at")
    return ["last used (UTC)", (row) => field(row, column).slice(0, 16).replace("T", " ")];
  const head = column.replace(/_(?:at|id)$/, "").replace("_", " ");
  return [head, (row) => (column.endsWith("_at") ? day(row, column) : field(row, column))];
}

/** Prints a table that usually fits 100 columns, without empty columns. --json prints everything. */
export function listTable(rows: readonly Row[], columns: readonly Column[]): string {
  const shown = columns.map(cellOf).filter(([, cell]) => rows.some((row) => cell(row) !== ""));
  const table = plainTable(shown.map(([head]) => head));
  for (const row of rows) table.push(shown.map(([, cell]) => cell(row)));
  return table.toString();
}

/** One line for each incident that waits for a decision; the URL is too wide for the table. */
export function decideLines(rows: readonly Row[]): string[] {
  const lines = rows.flatMap(({ principal, rule, decide_at: at = null }) =>
    at === null ? [] : [`  ${principal}, ${rule}: ${at}`],
  );
  return lines.length === 0 ? [] : ["Decide here:", ...lines];
}
