import * as z from "zod";
import { parseJson } from "../read-file.ts";
import { plainTable } from "../table.ts";

/** As the admin API lists users, keys and incidents. */
export type Row = Record<string, string | null>;

/** A column's head, and its cell of a row; empty cells alone make no column. */
type Column = [head: string, cell: (row: Row) => string];
export type Columns = readonly Column[];

const rolesSchema = z.array(z.string());

const field =
  (name: string): Column[1] =>
  (row) =>
    row[name] ?? "";
/** `2026-11-28`. */
const day =
  (name: string): Column[1] =>
  (row) =>
    row[name]?.slice(0, 10) ?? "";

/** `2026-11-28 23:00`. */
const minute =
  (name: string): Column[1] =>
  (row) =>
    row[name]?.slice(0, 16).replace("T", " ") ?? "";

/** What a key is good for alone: some of its user's roles, signed requests. */
const narrowing = ({ roles = null, signature }: Row): string =>
  [...rolesSchema.parse(parseJson(roles ?? "[]")), ...(signature === "required" ? ["signed"] : [])].join(
    ", ",
  );

/** Since when a key is no longer good, or until when it is. */
function end(row: Row): string {
  const [revoked, expires] = [day("revoked_at")(row), day("expires_at")(row)];
  if (revoked !== "") return `revoked ${revoked}`;
  return expires === "" ? "" : `expires ${expires}`;
}

const USED: Columns = [
  ["last used (UTC)", minute("last_used_at")],
  ["end", end],
];

export const USERS: Columns = [
  ["id", field("id")],
  ["kind", field("kind")],
  ["name", field("name")],
  ["customer", field("customer_id")],
  ["created", day("created_at")],
  ["by", field("created_by")],
  ["disabled", day("disabled_at")],
  ["roles", field("roles")],
];

export const KEYS: Columns = [
  ["id", field("id")],
  ["user", field("user")],
  ["label", field("label")],
  ["only", narrowing],
  ...USED,
];

export const SIGNING_KEYS: Columns = [
  ["id", field("id")],
  ["user", field("user")],
  ["label", field("label")],
  ["algorithm", field("algorithm")],
  ...USED,
];

export const INCIDENTS: Columns = [
  // They are of these days: the year goes without saying.
  ["last (UTC)", (row) => minute("last_at")(row).slice(5)],
  [
    "principal",
    ({ principal, callers = null }) => (callers === null ? (principal ?? "") : `${callers} without a name`),
  ],
  ["rule", field("rule")],
  // How grave it is follows from the verdict, but for what is critical.
  ["verdict", ({ severity, verdict }) => `${severity === "critical" ? "critical " : ""}${verdict ?? ""}`],
  ["tool", ({ tool, count }) => `${tool ?? ""}${count === "1" ? "" : ` x${count ?? ""}`}`],
  [
    "status",
    ({ status, decided_by }) => `${status ?? ""}${decided_by === null ? "" : ` by ${decided_by ?? ""}`}`,
  ],
];

/** A table that fits a terminal of 100 columns, as a rule: days for times, and no column that says nothing. --json prints all. */
export function listTable(rows: readonly Row[], columns: Columns): string {
  const shown = columns.filter(([, cell]) => rows.some((row) => cell(row) !== ""));
  const table = plainTable(shown.map(([head]) => head));
  for (const row of rows) table.push(shown.map(([, cell]) => cell(row)));
  return table.toString();
}

/** Where a person decides about each incident that waits for one, a line each; too wide for the table. */
export function decideLines(rows: readonly Row[]): string[] {
  const lines = rows.flatMap(({ principal, rule, decide_at: at = null }) =>
    at === null ? [] : [`  ${principal}, ${rule}: ${at}`],
  );
  return lines.length === 0 ? [] : ["Where a person decides:", ...lines];
}
