import * as z from "zod";
import { type Page, type Position, pageOf } from "../database/page.ts";
import { jsonText } from "../database/json-text.ts";
import { readableRows } from "../telemetry/readable-rows.ts";
import { questionSchema, reportSchema } from "./report.ts";

// The SQL over feeds and deliveries in D1. The feed's object writes them.

/**
 * `retrying`: an attempt failed, and another follows. `failed`: after the last one. `unchanged`: a later attempt found the file
 * as it was. `waiting`: for a person's decision. `asking`: for a person's choice.
 */
export const OUTCOMES = [
  "applied",
  "retrying",
  "failed",
  "unchanged",
  "waiting",
  "asking",
  "discarded",
  "superseded",
] as const;
export type DeliveryOutcome = (typeof OUTCOMES)[number];

const detailSchema = z.object({
  /** The reason why the delivery failed. */
  problem: z.string().nullable().default(null),
  report: reportSchema.nullable().default(null),
  question: questionSchema.nullable().default(null),
  decided_by: z.string().nullable().default(null),
});

/** A delivery of a feed or an upload. Times are milliseconds since the epoch. */
export const deliveryRowSchema = detailSchema.extend({
  id: z.string(),
  source: z.string(),
  kind: z.enum(["feed", "upload"]),
  name: z.string(),
  started_at: z.int(),
  ended_at: z.int().nullable(),
  outcome: z.enum(OUTCOMES),
});
export type DeliveryRow = z.output<typeof deliveryRowSchema>;

const storedDelivery = z
  .looseObject({ report: jsonText.pipe(z.looseObject({})) })
  .transform(({ report, ...row }) => ({ ...report, ...row }))
  .pipe(deliveryRowSchema);

export const feedRowSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** JSON: how deliveries are read (src/feeds/options.ts). */
  options: z.string(),
  every_minutes: z.int(),
  created_at: z.int(),
  /** The admin who added it, or resumed it last. It delivers nothing once this user is no admin. */
  created_by: z.string(),
  paused_at: z.int().nullable(),
  checked_at: z.int().nullable(),
  next_at: z.int().nullable(),
});
export type FeedRow = z.output<typeof feedRowSchema>;

/** Days that deliveries are listed. */
const KEPT_DAYS = 90;
const KEPT_MS = KEPT_DAYS * 24 * 60 * 60 * 1000;

/** Feeds that a server may have, because each costs an object. */
export const FEEDS_MAX = 20;

const insertFeed = (db: D1Database, feed: FeedRow, more: string): D1PreparedStatement => {
  const columns = Object.keys(feedRowSchema.shape);
  return db
    .prepare(
      `INSERT INTO feeds (${columns.join(", ")}) SELECT ${columns.map((_, index) => `?${index + 1}`).join(", ")} ${more}`,
    )
    .bind(...Object.values(feedRowSchema.parse(feed)));
};

export const writeFeed = (db: D1Database, feed: FeedRow): D1PreparedStatement =>
  insertFeed(
    db,
    feed,
    `WHERE true ON CONFLICT (id) DO UPDATE SET paused_at = excluded.paused_at, checked_at = excluded.checked_at,
       next_at = excluded.next_at, options = excluded.options, created_by = excluded.created_by`,
  );

/** Lists a new feed. Returns false, and does nothing, if the server has as many as it may. */
export async function reserveFeed(db: D1Database, feed: FeedRow): Promise<boolean> {
  const { meta } = await insertFeed(db, feed, `WHERE (SELECT count(*) FROM feeds) < ${FEEDS_MAX}`).run();
  return meta.changes > 0;
}

export const deleteFeed = (db: D1Database, id: string): D1PreparedStatement =>
  db.prepare("DELETE FROM feeds WHERE id = ?").bind(id);

/** Writes a delivery over an earlier state of it, and forgets old ones. */
export const writeDelivery = (db: D1Database, row: DeliveryRow): D1PreparedStatement[] => [
  db
    .prepare(
      `INSERT INTO deliveries (id, source, kind, name, started_at, ended_at, outcome, report)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
       ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, outcome = excluded.outcome, report = excluded.report`,
    )
    .bind(
      row.id,
      row.source,
      row.kind,
      row.name,
      row.started_at,
      row.ended_at,
      row.outcome,
      JSON.stringify(detailSchema.parse(row)),
    ),
  db.prepare("DELETE FROM deliveries WHERE started_at < ?").bind(row.started_at - KEPT_MS),
];

/** A feed with its last delivery. */
const listedSchema = feedRowSchema.extend({
  outcome: z.enum(OUTCOMES).nullable(),
  problem: z.string().nullable(),
});
export type ListedFeed = z.output<typeof listedSchema>;

/** The feeds, newest first. */
export async function allFeeds(db: D1Database): Promise<ListedFeed[]> {
  const { results } = await db
    .prepare(
      `SELECT f.*, d.outcome, d.report ->> 'problem' AS problem FROM feeds f LEFT JOIN deliveries d ON d.id =
         (SELECT id FROM deliveries WHERE source = f.id ORDER BY started_at DESC, id LIMIT 1)
       ORDER BY f.created_at DESC, f.id`,
    )
    .all();
  return readableRows("feeds", results, listedSchema);
}

/** Deliveries, newest first; of one feed or upload if `source` is given. */
export async function pageOfDeliveries(
  db: D1Database,
  {
    source,
    after = [Number.MAX_SAFE_INTEGER, ""],
    size,
  }: { source?: string | undefined; after?: Position | undefined; size: number },
): Promise<Page<DeliveryRow>> {
  const { results } = await db
    .prepare(
      `SELECT * FROM deliveries WHERE (started_at, id) < (?1, ?2) AND ${source === undefined ? "?4 IS NULL" : "source = ?4"}
       ORDER BY started_at DESC, id DESC LIMIT ?3`,
    )
    .bind(...after, size + 1, source ?? null)
    .all();
  const rows = readableRows("deliveries", results, storedDelivery);
  return pageOf(rows, size, ({ started_at, id }) => [started_at, id]);
}
