import type { Input } from "../catalog/import/read/source.ts";
import { decompressed } from "../catalog/import/read/source.ts";

/** Most bytes of a delivery as it arrives, and after decompression. */
export const BYTES_MAX = 64 * 1024 * 1024;
const UNPACKED_MAX = 4 * BYTES_MAX;
/** Most pieces of an upload. */
export const PIECES_MAX = 1_024;
/** Bytes of one row: SQLite takes 2 MB. */
const PIECE = 512 * 1024;

/** Bytes of deliveries, in the object's own storage: no response can be read by a later wake of the object. */
export class StoredBytes {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS pieces (delivery TEXT NOT NULL, n INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (delivery, n)) WITHOUT ROWID",
    );
  }

  /** Returns a function that stores bytes in pieces, and one that stores the rest. */
  writer(delivery: string): { write: (bytes: Uint8Array) => void; end: () => void } {
    this.drop(delivery);
    let held: Uint8Array[] = [];
    let size = 0;
    let n = 0;
    const flush = () => {
      if (size > 0) this.put(delivery, n++, Buffer.concat(held));
      held = [];
      size = 0;
    };
    return {
      write(bytes) {
        for (let start = 0; start < bytes.length;) {
          const part = bytes.subarray(start, start + PIECE - size);
          held.push(part);
          size += part.length;
          start += part.length;
          if (size === PIECE) flush();
        }
      },
      end: flush,
    };
  }

  put(delivery: string, n: number, bytes: Uint8Array): void {
    this.#sql.exec("INSERT OR REPLACE INTO pieces (delivery, n, bytes) VALUES (?, ?, ?)", delivery, n, bytes);
  }

  /** Whether the pieces 0 to `pieces` - 1 are stored, and no others. */
  isWhole(delivery: string, pieces: number): boolean {
    const [row] = this.#sql
      .exec<{ pieces: number; last: number | null }>(
        "SELECT count(*) AS pieces, max(n) AS last FROM pieces WHERE delivery = ?",
        delivery,
      )
      .toArray();
    return row !== undefined && pieces > 0 && row.pieces === pieces && row.last === pieces - 1;
  }

  /** The bytes of all pieces but the one with the number `n`. */
  bytesBeside(delivery: string, n: number): number {
    const [row] = this.#sql
      .exec<{ bytes: number }>(
        "SELECT coalesce(sum(length(bytes)), 0) AS bytes FROM pieces WHERE delivery = ? AND n <> ?",
        delivery,
        n,
      )
      .toArray();
    return row?.bytes ?? 0;
  }

  drop(delivery: string): void {
    this.#sql.exec("DELETE FROM pieces WHERE delivery = ?", delivery);
  }

  /** A delivery that can be read several times. `onRead` is awaited before each part of it is used. */
  input(delivery: string, name: string, onRead: (bytes: number) => Promise<void>): Input {
    const bytes = () => this.#read(delivery);
    return {
      name,
      open: async () => ({ bytes: bounded(decompressed(bytes()), onRead) }),
    };
  }

  async *#read(delivery: string): AsyncGenerator<Buffer> {
    for (let n = 0; ; n++) {
      const [row] = this.#sql
        .exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM pieces WHERE delivery = ? AND n = ?", delivery, n)
        .toArray();
      if (row === undefined) return;
      yield Buffer.from(row.bytes);
    }
  }
}

async function* bounded(
  bytes: AsyncIterable<Buffer>,
  onRead: (bytes: number) => Promise<void>,
): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > UNPACKED_MAX)
      throw new Error(`The file has more than ${UNPACKED_MAX / 1024 / 1024} MiB when it is decompressed.`);
    await onRead(chunk.length);
    yield chunk;
  }
}
