import { decompressed } from "../catalog/import/read/source.ts";
import type { Input } from "../catalog/import/read/source.ts";
import { newId } from "./feed-client.ts";

const MIB = 1024 * 1024;
/** Most pieces of an upload. */
export const PIECES_MAX = 1_024;
/** Bytes of a piece of a fetched file. SQLite takes 2 MB in a row. */
const PIECE = { object: MIB / 2, r2: 2 * MIB };

/** The storage of files did not take or give a piece. The same may succeed later. */
export class StorageFailed extends Error {
  override name = "StorageFailed";
}

/** The R2 bucket that holds files, if the server has one (wrangler.toml). */
export const bucketOf = (env: object): R2Bucket | undefined => Reflect.get(env, "FEED_FILES") ?? undefined;

/** Most MiB of a delivery as it arrives; after decompression it may have four times as many. */
export const mebibytesMax = (env: object): number => (bucketOf(env) === undefined ? 64 : 256);

/**
 * The bytes of one object's deliveries, because no response can be read by a later wake of the object. They are in R2 if it is
 * bound, else in the object's own storage, which also knows what is in R2.
 */
export class StoredBytes {
  readonly #sql: SqlStorage;
  readonly #env: object;
  /** Keys that R2 gets now. A deletion that overtakes it would leave the bytes behind. */
  readonly #sending = new Set<string>();

  constructor(sql: SqlStorage, env: object) {
    this.#sql = sql;
    this.#env = env;
    // `state` is sending, stored or dropped. A row is there before its bytes, so that none are forgotten.
    sql.exec(
      `CREATE TABLE IF NOT EXISTS pieces (delivery TEXT NOT NULL, n INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (delivery, n)) WITHOUT ROWID;
       CREATE TABLE IF NOT EXISTS r2_pieces (key TEXT PRIMARY KEY, delivery TEXT NOT NULL, n INTEGER NOT NULL, size INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID`,
    );
  }

  get max(): number {
    return mebibytesMax(this.#env) * MIB;
  }

  /** Returns a function that stores bytes in pieces, and one that stores the rest. They throw StorageFailed. */
  writer(delivery: string): { write: (bytes: Uint8Array) => Promise<void>; end: () => Promise<void> } {
    this.drop(delivery);
    const piece = bucketOf(this.#env) === undefined ? PIECE.object : PIECE.r2;
    let held: Uint8Array[] = [];
    let size = 0;
    let n = 0;
    const flush = async () => {
      if (size === 0) return;
      const bytes = Buffer.concat(held);
      held = [];
      size = 0;
      await this.put(delivery, n++, bytes);
    };
    return {
      async write(bytes) {
        for (let start = 0; start < bytes.length;) {
          const part = bytes.subarray(start, start + piece - size);
          held.push(part);
          size += part.length;
          start += part.length;
          if (size === piece) await flush();
        }
      },
      end: flush,
    };
  }

  /** Stores a piece in the place of an earlier one. Throws StorageFailed. */
  async put(delivery: string, n: number, bytes: Uint8Array): Promise<void> {
    this.#drop("delivery = ? AND n = ?", delivery, n);
    const bucket = bucketOf(this.#env);
    if (bucket === undefined) {
      this.#sql.exec("INSERT INTO pieces (delivery, n, bytes) VALUES (?, ?, ?)", delivery, n, bytes);
      return;
    }
    const key = `feeds/${delivery}/${n}-${newId()}`;
    this.#sql.exec(
      "INSERT INTO r2_pieces (key, delivery, n, size, state) VALUES (?, ?, ?, ?, 'sending')",
      key,
      delivery,
      n,
      bytes.length,
    );
    this.#sending.add(key);
    await asked(bucket.put(key, bytes)).finally(() => this.#sending.delete(key));
    // Unless it was dropped meanwhile.
    this.#sql.exec("UPDATE r2_pieces SET state = 'stored' WHERE key = ? AND state = 'sending'", key);
  }

  /** Whether the pieces 0 to `pieces` - 1 are stored, and no others. */
  isWhole(delivery: string, pieces: number): boolean {
    const [row] = this.#sql
      .exec<{ pieces: number; last: number | null }>(
        `SELECT count(*) AS pieces, max(n) AS last FROM (SELECT n FROM pieces WHERE delivery = ?1
           UNION ALL SELECT n FROM r2_pieces WHERE delivery = ?1 AND state = 'stored')`,
        delivery,
      )
      .toArray();
    return row !== undefined && pieces > 0 && row.pieces === pieces && row.last === pieces - 1;
  }

  /** The bytes of all pieces but the one with the number `n`. */
  bytesBeside(delivery: string, n: number): number {
    const [row] = this.#sql
      .exec<{ bytes: number }>(
        `SELECT coalesce(sum(size), 0) AS bytes FROM (SELECT n, length(bytes) AS size FROM pieces WHERE delivery = ?1
           UNION ALL SELECT n, size FROM r2_pieces WHERE delivery = ?1 AND state <> 'dropped') WHERE n <> ?2`,
        delivery,
        n,
      )
      .toArray();
    return row?.bytes ?? 0;
  }

  /** Forgets the pieces of a delivery. Those in R2 are deleted by `sweep`. */
  drop(delivery: string): void {
    this.#drop("delivery = ?", delivery);
  }

  #drop(which: string, ...values: (string | number)[]): void {
    this.#sql.exec(`DELETE FROM pieces WHERE ${which}`, ...values);
    this.#sql.exec(`UPDATE r2_pieces SET state = 'dropped' WHERE ${which}`, ...values);
  }

  /** Whether R2 holds pieces that nobody needs. */
  get hasDropped(): boolean {
    return this.#dropped().length > 0;
  }

  /** Deletes them. Throws StorageFailed. */
  async sweep(): Promise<void> {
    for (let keys = this.#dropped(); keys.length > 0; keys = this.#dropped()) {
      // Without the binding nobody can delete them.
      await asked(bucketOf(this.#env)?.delete(keys) ?? Promise.resolve());
      const gone = JSON.stringify(keys);
      this.#sql.exec("DELETE FROM r2_pieces WHERE key IN (SELECT value FROM json_each(?))", gone);
    }
  }

  /** Deletes all pieces. Throws StorageFailed. */
  async clear(): Promise<void> {
    this.#drop("true");
    await this.sweep();
    if (this.#sending.size > 0) throw new StorageFailed("A piece is still being sent.");
  }

  /** R2 deletes 1,000 keys at once. */
  #dropped(): string[] {
    return this.#sql
      .exec<{ key: string }>("SELECT key FROM r2_pieces WHERE state = 'dropped' LIMIT 1000")
      .toArray()
      .flatMap(({ key }) => (this.#sending.has(key) ? [] : [key]));
  }

  /**
   * A delivery that can be read several times. R2 is asked in `step`; `onRead` is awaited before each part of the file is used.
   * Reading throws StorageFailed, or an Error if the file is gone or too large.
   */
  input(
    delivery: string,
    name: string,
    {
      step,
      onRead,
    }: { step: <T>(ask: () => Promise<T>) => Promise<T>; onRead: (bytes: number) => Promise<void> },
  ): Input {
    const max = 4 * this.max;
    const read = (n: number) => this.#piece(delivery, n, step);
    async function* bytes(): AsyncGenerator<Buffer> {
      let piece = await read(0);
      if (piece === undefined) throw new Error("The stored file is gone.");
      for (let n = 1; piece !== undefined; n++) {
        yield piece;
        piece = await read(n);
      }
    }
    return { name, open: async () => ({ bytes: bounded(decompressed(bytes()), max, onRead) }) };
  }

  async #piece(
    delivery: string,
    n: number,
    step: <T>(ask: () => Promise<T>) => Promise<T>,
  ): Promise<Buffer | undefined> {
    const [own] = this.#sql
      .exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM pieces WHERE delivery = ? AND n = ?", delivery, n)
      .toArray();
    if (own !== undefined) return Buffer.from(own.bytes);
    const [far] = this.#sql
      .exec<{ key: string }>(
        "SELECT key FROM r2_pieces WHERE delivery = ? AND n = ? AND state = 'stored'",
        delivery,
        n,
      )
      .toArray();
    if (far === undefined) return undefined;
    const bytes = await step(() =>
      asked(
        bucketOf(this.#env)
          ?.get(far.key)
          .then((found) => found?.arrayBuffer()) ?? Promise.resolve(undefined),
      ),
    );
    // A rule of the bucket may delete what is old.
    if (bytes === undefined) throw new Error("The stored file is gone.");
    return Buffer.from(bytes);
  }
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new StorageFailed("R2 did not take a step.", { cause });
  }
}

async function* bounded(
  bytes: AsyncIterable<Buffer>,
  max: number,
  onRead: (bytes: number) => Promise<void>,
): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > max) throw new Error(`The file has more than ${max / MIB} MiB when it is decompressed.`);
    await onRead(chunk.length);
    yield chunk;
  }
}
