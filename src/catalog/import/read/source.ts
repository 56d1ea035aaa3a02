import { Readable, pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { peek } from "./peek.ts";

/** A file's bytes from its beginning, decompressed if they were gzip. */
export interface Source {
  bytes: AsyncIterable<Buffer>;
}

/** A file that can be read several times. Its name tells the format if it has an extension. */
export interface Input {
  name: string;
  open(): Promise<Source>;
}

const GZIP_MAGIC = [0x1f, 0x8b];

/** Recognises gzip by its first bytes, not by the file name. */
export async function* decompressed(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { first, whole } = await peek(bytes, GZIP_MAGIC.length);
  const isGzip = GZIP_MAGIC.every((byte, index) => first[index] === byte);
  // The iteration throws the callback's error as well.
  yield* isGzip ? pipeline(Readable.from(whole), createGunzip(), () => {}) : whole;
}

/** Says what is wrong with gzip data; undefined for any other error. */
export function gzipProblem(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "Z_BUF_ERROR") return "The gzip data ends early: the file is cut off.";
  return code === "Z_DATA_ERROR" ? "The gzip data is damaged." : undefined;
}
