import { type Stats, createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { whyUnreadable } from "../read-file.ts";
import { type Source as Bytes, decompressed } from "../../src/catalog/import/read/source.ts";

/** The input of an import. */
export interface Source extends Bytes {
  /** Bytes read from the file so far, before decompression. */
  taken(): number;
  /** The file's size; undefined for standard input. */
  size: number | undefined;
  /** Equal for the same unchanged file; undefined for standard input. */
  version: string | undefined;
}

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
    bytes: decompressed(counted()),
    taken: () => taken,
    size: info?.size,
    version: info && versionOf(info),
  };
}

const versionOf = (info: Stats): string => `${info.dev}:${info.ino}:${info.size}:${info.mtimeMs}`;

/** Returns a check that throws if the file is another one, or has other contents, than at this call. */
export async function watchFile(name: string): Promise<() => Promise<void>> {
  const before = versionOf(await statOf(name));
  return async () => {
    if (versionOf(await statOf(name)) === before) return;
    throw new Error(
      `${name} changed while it was read. Run the command again when it is written completely.`,
    );
  };
}

async function statOf(name: string): Promise<Stats> {
  try {
    return await stat(name);
  } catch (error) {
    throw new Error(whyUnreadable(name, error), { cause: error });
  }
}
