import { type Stats, createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable, pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { whyUnreadable } from "../read-file.ts";
import { peek } from "./peek.ts";

/** What an import reads: bytes, decompressed where they were gzip. */
export interface Source {
  /** As the user gave it. */
  name: string;
  bytes: AsyncIterable<Buffer>;
  /** Bytes taken from the file so far, before decompression. */
  taken(): number;
  /** The file's size; undefined for standard input. */
  size: number | undefined;
  /** The same for the same file while it is unchanged; undefined for standard input. */
  version: string | undefined;
}

const GZIP_MAGIC = [0x1f, 0x8b];

/** Opens a file, or standard input for "-". */
export async function openSource(name: string): Promise<Source> {
  const info = name === "-" ? undefined : await statOf(name);
  if (info?.isDirectory() === true) throw new Error(`${name} can't be read: it is a folder.`);
  const stream = info === undefined ? process.stdin : createReadStream(name, { highWaterMark: 256 * 1024 });
  let taken = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk);
      taken += bytes.length;
      yield bytes;
    }
  }
  return {
    name,
    bytes: decompressed(counted()),
    taken: () => taken,
    size: info?.size,
    version: info && `${info.dev}:${info.ino}:${info.size}:${info.mtimeMs}`,
  };
}

async function statOf(name: string): Promise<Stats> {
  try {
    return await stat(name);
  } catch (error) {
    throw new Error(whyUnreadable(name, error), { cause: error });
  }
}

/** By what the data begins with, not by the file's name. */
async function* decompressed(bytes: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const { first, whole } = await peek(bytes, GZIP_MAGIC.length);
  const isGzip = GZIP_MAGIC.every((byte, index) => first[index] === byte);
  // The callback's error comes out of the iteration as well.
  yield* isGzip ? pipeline(Readable.from(whole), createGunzip(), () => {}) : whole;
}
