import type { D1Database } from "@cloudflare/workers-types";
import * as z from "zod";
import { changeRowSchema, shownReason } from "../changes/change.ts";
import { CHANGE_COLUMNS } from "../changes/statements.ts";
import { runBatch } from "../database/run-batch.ts";
import { linesIn, selectLines } from "./change-lines.ts";

const LINES_SHOWN = 50;

export interface ChangeQuestion {
  /** Only changes of this product. */
  sku?: string | undefined;
  /** Only this change. */
  changeId?: string | undefined;
  limit: number;
  /** The list starts below this place in the order of changes. */
  before: number;
}

/** A change of stock, with what it found and left. */
export interface ListedChange {
  seq: number;
  change_id: string;
  tool: string;
  by: string;
  at: string;
  reason: string;
  undoes: string | null;
  undone_by: string | null;
  /** How many places it changed; `changes` shows the first of them. */
  places: number;
  changes: { sku: string; warehouse: string; before: number | null; after: number | null; version: number }[];
}

const listedRow = changeRowSchema.extend({ undone_by: z.string().nullable() });

/** Reads a page of changes, the newest first, and the place of the last one if there are older ones. */
export async function readChanges(
  db: D1Database,
  { sku, changeId, limit, before }: ChangeQuestion,
): Promise<{ items: ListedChange[]; next?: number }> {
  const ofStock =
    sku === undefined
      ? "EXISTS (SELECT 1 FROM stock_changes s WHERE s.change_id = c.id) AND ?4 IS NULL"
      : "c.id IN (SELECT s.change_id FROM stock_changes s JOIN products p ON p.id = s.product_id WHERE p.sku = ?4)";
  const chosen = `SELECT c.seq FROM changes c
    WHERE c.seq < ?1 AND (?2 IS NULL OR c.id = ?2) AND ${ofStock} ORDER BY c.seq DESC LIMIT ?3`;
  const values = [before, changeId ?? null, limit + 1, sku ?? null];
  const [rows, lineRows] = await runBatch(db, [
    {
      sql: `SELECT ${CHANGE_COLUMNS},
          (SELECT u.id FROM changes u WHERE u.undoes = c.id ORDER BY u.seq DESC LIMIT 1) AS undone_by
        FROM changes c WHERE c.seq IN (${chosen}) ORDER BY c.seq DESC`,
      values,
    },
    selectLines(`SELECT id FROM changes WHERE seq IN (${chosen})`, values),
  ]);
  const linesOf = Map.groupBy(linesIn(lineRows), ({ change_id }) => change_id);
  const found = z.array(listedRow).parse(rows);
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(({ seq, id, kind, principal, at, reason, undoes, undone_by }) => ({
      seq,
      change_id: id,
      tool: kind,
      by: principal,
      at: new Date(at).toISOString(),
      reason: shownReason(reason),
      undoes,
      undone_by,
      places: linesOf.get(id)?.length ?? 0,
      changes: (linesOf.get(id) ?? [])
        .slice(0, LINES_SHOWN)
        .map(({ sku: of, warehouse, before: was, after, version }) => ({
          sku: of,
          warehouse,
          before: was,
          after,
          version,
        })),
    })),
    ...(found.length > limit && last !== undefined && { next: last.seq }),
  };
}
