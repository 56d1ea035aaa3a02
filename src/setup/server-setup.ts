import { DurableObject } from "cloudflare:workers";
import { randomBytes } from "node:crypto";
import * as z from "zod";
import { sameSecret } from "../text/same-secret.ts";
import { newSetupCode, setupLettersOf } from "./setup-code.ts";

/** Length of a made secret key in random bytes. */
const KEY_BYTES = 32;
/** Milliseconds for which a setup code is valid. */
export const CODE_MS = 15 * 60_000;
/** A code that is about to expire is not logged again; a new one is made instead. */
const CODE_LEFT_MIN_MS = 5 * 60_000;
/** Milliseconds between two codes in the log, because anybody may ask for one. */
export const LOG_PAUSE_MS = 10_000;
/**
 * Wrong guesses after which a code is void. They are no help against 100 random bits, and are more than one address may make
 * in CODE_MS (the policy's limit for sign-in), so that a stranger can't easily void the code of a person who is about to
 * enter it.
 */
export const GUESSES_MAX = 10_000;

/** `log`: write this code to the log. `wait`: a code was logged less than LOG_PAUSE_MS ago. */
export type Offer =
  | { status: "log"; code: string; expiresAt: number }
  | { status: "wait"; waitMs: number }
  | { status: "closed" };

/** `closed`: the first admin was already made. */
export type Guess = "right" | "wrong" | "closed";

const keyRow = z.object({ secret_key: z.string() });
const codeRow = z.object({ code: z.string(), made_at: z.int() });
const timeRow = z.object({ at: z.int() });

/**
 * Keeps what a new server makes for itself: its secret key, and until the first admin exists the setup codes. One object for
 * all isolates, so two first requests get the same key. Times are milliseconds since the epoch.
 */
export class ServerSetup extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    // Tables of at most one row have an id that is always 1.
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS secret (id INTEGER PRIMARY KEY CHECK (id = 1), secret_key TEXT NOT NULL, made_at INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS codes (code TEXT PRIMARY KEY, made_at INTEGER NOT NULL, wrong INTEGER NOT NULL DEFAULT 0);
      CREATE TABLE IF NOT EXISTS logged (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS closed (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL);
    `);
  }

  /** Returns the server's secret key, and makes it at the first call. */
  secretKey(now: number): string {
    this.#sql.exec(
      "INSERT OR IGNORE INTO secret (id, secret_key, made_at) VALUES (1, ?, ?)",
      randomBytes(KEY_BYTES).toString("base64url"),
      now,
    );
    return keyRow.parse(this.#sql.exec("SELECT secret_key FROM secret").one()).secret_key;
  }

  /** Offers a code for the log: the valid one, or a new one if there is none or it expires soon. */
  offerCode(now: number): Offer {
    if (this.#isClosed()) return { status: "closed" };
    const [logged] = this.#sql.exec("SELECT at FROM logged").toArray();
    const since = logged === undefined ? LOG_PAUSE_MS : now - timeRow.parse(logged).at;
    // A negative time means that the clock was set back.
    if (since >= 0 && since < LOG_PAUSE_MS) return { status: "wait", waitMs: LOG_PAUSE_MS - since };
    this.#sql.exec("INSERT OR REPLACE INTO logged (id, at) VALUES (1, ?)", now);
    const current = this.#validCodes(now).find(({ made_at }) => made_at + CODE_MS - now >= CODE_LEFT_MIN_MS);
    const { code, made_at } = current ?? this.#makeCode(now);
    return { status: "log", code, expiresAt: made_at + CODE_MS };
  }

  /** Checks an entered code, and counts it if it is wrong. A right code stays valid until `close`. */
  guessCode(text: string, now: number): Guess {
    if (this.#isClosed()) return "closed";
    const letters = setupLettersOf(text) ?? "";
    // Every valid code is compared, so that the time does not depend on which one matches.
    const matches = this.#validCodes(now).filter(({ code }) =>
      sameSecret(letters, setupLettersOf(code) ?? code),
    );
    if (matches.length > 0) return "right";
    this.#sql.exec("UPDATE codes SET wrong = wrong + 1");
    return "wrong";
  }

  /** Ends the setup for good. Later calls change nothing. */
  close(now: number): void {
    this.#sql.exec("INSERT OR IGNORE INTO closed (id, at) VALUES (1, ?)", now);
    this.#sql.exec("DELETE FROM codes");
  }

  #isClosed(): boolean {
    return this.#sql.exec("SELECT at FROM closed").toArray().length > 0;
  }

  #makeCode(now: number): z.output<typeof codeRow> {
    const made = { code: newSetupCode(), made_at: now };
    this.#sql.exec("DELETE FROM codes WHERE made_at <= ? OR made_at > ?", now - CODE_MS, now);
    this.#sql.exec("INSERT INTO codes (code, made_at) VALUES (?, ?)", made.code, made.made_at);
    return made;
  }

  #validCodes(now: number): z.output<typeof codeRow>[] {
    const rows = this.#sql.exec(
      "SELECT code, made_at FROM codes WHERE made_at > ? AND made_at <= ? AND wrong < ? ORDER BY made_at DESC",
      now - CODE_MS,
      now,
      GUESSES_MAX,
    );
    return z.array(codeRow).parse(rows.toArray());
  }
}
