import * as z from "zod";
import { parseJson } from "../read-file.ts";
import { plainTable } from "../table.ts";

/** A user, key or incident as the admin API lists it. */
export type Row = Record<string, string | null>;

/**
 * A column's heading, and the function that prints its cell. A column whose cells are all empty is left out.
 */
type Column = [head: string, cell: (row: Row) => string];
export type Columns = readonly Column[];

const rolesSchema = z.array(z.string());

const field =
  (name: string): Column[1] =>
  (row) =>
    row[name] ?? "";
/** A date such as `2026-11-28`. */
const day =
  (name: string): Column[1] =>
  (row) =>
    row[name]?.slice(0, 10) ?? "";

/** A time such as `2026-11-28 23:00`. */
const minute =
  (name: string): Column[1] =>
  (row) =>
    row[name]?.slice(0, 16).replace("T", " ") ?? "";

/** The limits of a key: the roles it is narrowed to, and whether it needs signed requests. */
const narrowing = ({ roles = null, signature }: Row): string =>
  [...rolesSchema.parse(parseJson(roles ?? "[]")), ...(signature === "required" ? ["signed"] : [])].join(
    ", ",
  );

/** When a key expired, was revoked, or will expire. */
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
  // Incidents are recent, so the year is left out.
  ["last (UTC)", (row) => minute("last_at")(row).slice(5)],
  [
    "principal",
    ({ principal, callers = null }) => (callers === null ? (principal ?? "") : `${callers} anonymous`),
  ],
  ["rule", field("rule")],
  // The severity follows from the verdict, except for critical incidents.
  ["verdict", ({ severity, verdict }) => `${severity === "critical" ? "critical " : ""}${verdict ?? ""}`],
  ["tool", ({ tool, count }) => `${tool ?? ""}${count === "1" ? "" : ` x${count ?? ""}`}`],
  [
    "status",
    ({ status, decided_by }) => `${status ?? ""}${decided_by === null ? "" : ` by ${decided_by ?? ""}`}`,
  ],
];

/**
 * Prints a table that usually fits 100 columns: times are shown as days, and empty columns are left out.
 * --json prints everything.
 */
export function listTable(rows: readonly Row[], columns: Columns): string {
  const shown = columns.filter(([, cell]) => rows.some((row) => cell(row) !== ""));
  const table = plainTable(shown.map(([head]) => head));
  for (const row of rows) table.push(shown.map(([, cell]) => cell(row)));
  return table.toString();
}

/**
 * One line for each incident that waits for a decision, with the page to decide on; the URL is too wide for
 * the table.
 */
export function decideLines(rows: readonly Row[]): string[] {
  const lines = rows.flatMap(({ principal, rule, decide_at: at = null }) =>
    at === null ? [] : [`  ${principal}, ${rule}: ${at}`],
  );
  return lines.length === 0 ? [] : ["Decide here:", ...lines];
}
