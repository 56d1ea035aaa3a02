import * as z from "zod";
import { type Page, type Position, pageOf } from "../database/page.ts";
import { readableRows } from "../telemetry/readable-rows.ts";
import { COLUMNS, rowSchema } from "./incident-rows.ts";
import type { Incident } from "./incident-record.ts";

// Lists of the incidents in D1. The database keeps their order and their counts (migrations/0016_operator_lists.sql).

/** One row of a list: an incident, or the latest of many that the row stands for. */
export interface Listed {
  incident: Incident;
  /** How many anonymous callers have an open incident of this rule; null if the row is one incident. */
  callers: number | null;
}

interface Wanted {
  /** `open`: open incidents only. `all`: decided ones follow. */
  which: "open" | "all";
  after: Position | undefined;
  size: number;
}

/** The column `place` is urgency * STEP minus the time. Urgencies below 12 are open, 12 is decided, 13 is folded. */
const STEP = 100_000_000_000_000;
const BEGINNING: Position = [-STEP, ""];
const LAST_PLACE = { open: 11 * STEP, all: 12 * STEP };
const DECIDED = 12;
const FOLDED = 13;

/** The columns that give a row's position. A newer release may have stored others. */
const placedSchema = z.looseObject({ id: z.string(), place: z.int(), urgency: z.int() });
const foldedSchema = rowSchema.extend({ callers: z.int() });
type Placed = z.output<typeof placedSchema>;

const incidentsIn = (rows: readonly unknown[]): Incident[] => readableRows("incidents", rows, rowSchema);
const listedIn = (rows: readonly unknown[]): Listed[] =>
  incidentsIn(rows).map((incident) => ({ incident, callers: null }));

/**
 * Returns a page of incidents: first those that wait for a person, known callers before anonymous ones, then by severity and
 * time. Open incidents of anonymous callers that need nobody are folded into one row per rule, after all other open ones.
 */
export async function pageOfIncidents(
  db: D1Database,
  { which, after = BEGINNING, size }: Wanted,
): Promise<Page<Listed>> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS}, place, urgency FROM incidents WHERE (place, id) > (?1, ?2) AND place <= ?3
       ORDER BY place, id LIMIT ?4`,
    )
    .bind(...after, LAST_PLACE[which], size + 1)
    .all();
  const { rows, next } = pageOf(placedSchema.array().parse(results), size, positionIn);
  // The folded rows follow the last open incident, so they are on one page only.
  const isLast = next === null || rows.some(({ urgency }) => urgency === DECIDED);
  const folded = isLast && Number(after[0]) <= LAST_PLACE.open ? await foldedIncidents(db) : [];
  const open = rows.filter(({ urgency }) => urgency !== DECIDED);
  const decided = rows.filter(({ urgency }) => urgency === DECIDED);
  return { rows: [...listedIn(open), ...folded, ...listedIn(decided)], next };
}

/** Returns one row per rule for the folded incidents: the latest of each. */
async function foldedIncidents(db: D1Database): Promise<Listed[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS}, callers FROM
         (SELECT incidents AS callers, (SELECT id FROM incidents i WHERE i.urgency = ${FOLDED} AND i.rule = o.rule
            ORDER BY i.place, i.id LIMIT 1) AS latest
          FROM open_incidents o WHERE o.urgency = ${FOLDED} AND o.incidents > 0)
       JOIN incidents ON id = latest ORDER BY place`,
    )
    .all();
  return readableRows("incidents", results, foldedSchema).map(({ callers, ...incident }) => ({
    incident,
    callers: callers === 1 ? null : callers,
  }));
}

/** Returns a page of the incidents that one folded row stands for, the latest first. */
export async function pageOfFolded(
  db: D1Database,
  { rule, after = BEGINNING, size }: { rule: string; after: Position | undefined; size: number },
): Promise<Page<Listed>> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS}, place, urgency FROM incidents
       WHERE urgency = ${FOLDED} AND rule = ?1 AND (place, id) > (?2, ?3) ORDER BY place, id LIMIT ?4`,
    )
    .bind(rule, ...after, size + 1)
    .all();
  const { rows, next } = pageOf(placedSchema.array().parse(results), size, positionIn);
  return { rows: listedIn(rows), next };
}

/** Counts the open incidents, and those of them that wait for a person. */
export async function countOpen(db: D1Database): Promise<{ open: number; asking: number }> {
  const row = await db
    .prepare(
      `SELECT coalesce(sum(incidents), 0) AS open, coalesce(sum(incidents) FILTER (WHERE urgency < 8), 0) AS asking
       FROM open_incidents`,
    )
    .first();
  return countSchema.parse(row);
}
const countSchema = z.object({ open: z.int(), asking: z.int() });

/** Returns one caller's open incidents, the most urgent first. A caller's object keeps few of them. */
export async function openIncidentsOf(db: D1Database, principal: string): Promise<Incident[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM incidents WHERE principal = ?1 AND status = 'open' ORDER BY place, id LIMIT 100`,
    )
    .bind(principal)
    .all();
  return incidentsIn(results);
}

const positionIn = ({ place, id }: Placed): Position => [place, id];
