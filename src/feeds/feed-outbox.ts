import * as z from "zod";
import { readSettings } from "../env.ts";
import { ensureMigrated } from "../database/migrate.ts";
import { jsonText } from "../database/json-text.ts";
import { postMessage } from "../incidents/incident-webhook.ts";
import { logSurprise } from "../telemetry/log.ts";
import {
  type DeliveryRow,
  type FeedRow,
  deliveryRowSchema,
  feedRowSchema,
  writeDelivery,
  writeFeed,
} from "./feed-rows.ts";

/** A retry waits as long as the message has waited already, within these bounds. */
const WAIT_MIN_MS = 60_000;
const WAIT_MAX_MS = 60 * 60_000;
/** After this time a message is given up. D1 is always written in the end. */
const GIVE_UP_MS = 3 * 24 * WAIT_MAX_MS;

const rowSchema = z.object({ id: z.string(), since: z.int(), due: z.int(), message: z.string() });

const unwrittenSchema = jsonText.pipe(
  z.object({ feed: feedRowSchema.optional(), delivery: deliveryRowSchema.optional() }),
);

const messageSchema = jsonText.pipe(z.looseObject({}));

/** The webhook's message about a delivery. */
export type DeliveryMessage = Pick<
  DeliveryRow,
  "id" | "source" | "kind" | "name" | "outcome" | "problem" | "started_at" | "ended_at"
> & { rows: number | null; bad: number | null };

/** Writes a feed's state to D1 and tells the webhook, again until both have it. */
export class FeedOutbox {
  readonly #sql: SqlStorage;
  readonly #env: Env;

  constructor(sql: SqlStorage, env: Env) {
    this.#sql = sql;
    this.#env = env;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS unwritten (id TEXT PRIMARY KEY, since INTEGER NOT NULL, due INTEGER NOT NULL, message TEXT NOT NULL) WITHOUT ROWID;
       CREATE TABLE IF NOT EXISTS untold (id TEXT PRIMARY KEY, since INTEGER NOT NULL, due INTEGER NOT NULL, message TEXT NOT NULL) WITHOUT ROWID`,
    );
  }

  /** Notes a row for D1. A later state of the same row replaces it. */
  write(row: { feed: FeedRow } | { delivery: DeliveryRow }, now: number): void {
    const id = "feed" in row ? "feed" : row.delivery.id;
    this.#put("unwritten", id, row, now);
  }

  tell(message: DeliveryMessage, now: number): void {
    this.#put("untold", `${message.id}.${message.outcome}`, message, now);
  }

  /** Delivers what is due. Never throws. */
  async deliver(now: number): Promise<void> {
    await this.#each("unwritten", now, async (_, message) => {
      await ensureMigrated(this.#env.DB);
      const { feed, delivery } = unwrittenSchema.parse(message);
      const statements = [
        ...(feed === undefined ? [] : [writeFeed(this.#env.DB, feed)]),
        ...(delivery === undefined ? [] : writeDelivery(this.#env.DB, delivery)),
      ];
      await this.#env.DB.batch(statements);
    });
    await this.#each("untold", now, async (id, message) => {
      const read = readSettings(this.#env);
      if (!read.ok) throw new Error(`settings: ${read.problems.map(({ setting }) => setting).join(", ")}`);
      const answer = await postMessage(
        read.settings,
        { id, type: "catalog.delivery", data: messageSchema.parse(message) },
        now,
      );
      if (answer.status === "refused")
        logSurprise(new Error(`The webhook answered ${answer.http}.`), { what: "feed webhook" });
    });
  }

  /** When something is due again, in milliseconds since the epoch; undefined if everything is delivered. */
  dueAt(): number | undefined {
    const dues = (["unwritten", "untold"] as const).flatMap((table) =>
      this.#rows(table).map(({ due }) => due),
    );
    return dues.length === 0 ? undefined : Math.min(...dues);
  }

  #put(table: "unwritten" | "untold", id: string, message: object, now: number): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO ${table} (id, since, due, message) VALUES (?, ?, ?, ?)`,
      id,
      now,
      now,
      JSON.stringify(message),
    );
  }

  async #each(
    table: "unwritten" | "untold",
    now: number,
    deliver: (id: string, message: string) => Promise<void>,
  ): Promise<void> {
    for (const { id, since, due, message } of this.#rows(table)) {
      if (due > now) continue;
      try {
        await deliver(id, message);
        this.#forget(table, id, message);
      } catch (error) {
        logSurprise(error, { what: `a feed's ${table} message` });
        const wait = Math.min(Math.max(WAIT_MIN_MS, now - since), WAIT_MAX_MS);
        if (table === "untold" && now - since >= GIVE_UP_MS) this.#forget(table, id, message);
        else this.#sql.exec(`UPDATE ${table} SET due = ? WHERE id = ?`, now + wait, id);
      }
    }
  }

  /** Unless a later state has replaced it meanwhile. */
  #forget(table: "unwritten" | "untold", id: string, message: string): void {
    this.#sql.exec(`DELETE FROM ${table} WHERE id = ? AND message = ?`, id, message);
  }

  #rows(table: "unwritten" | "untold"): z.output<typeof rowSchema>[] {
    return rowSchema
      .array()
      .parse(this.#sql.exec(`SELECT id, since, due, message FROM ${table} ORDER BY since`).toArray());
  }
}
