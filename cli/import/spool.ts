import { createWriteStream, rmSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { openSource } from "./open-source.ts";

export interface Rewindable {
  /** The file to read, as often as needed. */
  file: string;
  /** Removes the copy, if there is one. */
  remove: () => Promise<void>;
}

/**
 * Makes an input readable several times: standard input and pipes are copied to a temporary file that only this user
 * can read. The copy is removed when the process exits, too.
 */
export async function rewindable(name: string): Promise<Rewindable> {
  const info = name === "-" ? undefined : await stat(name).catch(() => undefined);
  const isPipe = name === "-" || (info !== undefined && !info.isFile() && !info.isDirectory());
  if (!isPipe) return { file: name, remove: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), "catalog-import-"));
  const removeAtExit = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeAtExit);
  const remove = async () => {
    await rm(folder, { recursive: true, force: true });
    process.off("exit", removeAtExit);
  };
  const file = join(folder, "input");
  try {
    const { bytes } = await openSource(name);
    await pipeline(bytes, createWriteStream(file, { mode: 0o600 }));
  } catch (error) {
    await remove();
    throw error;
  }
  return { file, remove };
}
