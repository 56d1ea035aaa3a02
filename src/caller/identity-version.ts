import * as z from "zod";
import { logUnreadable } from "../telemetry/readable-rows.ts";

const SCHEMA =
  "CREATE TABLE IF NOT EXISTS identity (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)";

const row = z.object({ version: z.int() });

/**
 * Counts the changes of one caller's identity: its roles, its credentials, whether it is disabled. An isolate may keep an
 * identity that it has read under a version, and believes it only while this object holds the same one
 * (src/identity/kept-identities.ts).
 */
export class IdentityVersion {
  readonly #sql: SqlStorage;
  /** The table is created with the first change, because most callers never have one. */
  #exists: boolean;
  #current: number | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#exists = sql.exec("SELECT 1 FROM pragma_table_info('identity')").toArray().length > 0;
    this.#current = this.#exists ? this.#read() : 0;
  }

  /** Undefined if a newer release stored one that this release can't read; then no isolate may keep the identity. */
  get current(): number | undefined {
    return this.#current;
  }

  raise(): void {
    if (this.#current === undefined) return;
    const next = this.#current + 1;
    if (!this.#exists) this.#sql.exec(SCHEMA);
    this.#exists = true;
    this.#sql.exec("INSERT OR REPLACE INTO identity (id, version) VALUES (1, ?)", next);
    this.#current = next;
  }

  #read(): number | undefined {
    try {
      return row.parse(this.#sql.exec("SELECT version FROM identity").one()).version;
    } catch (error) {
      logUnreadable("identity", error);
      return undefined;
    }
  }
}
