import { chmod, realpath, rename, rm, stat, writeFile } from "node:fs/promises";

const REASONS: Record<string, string> = {
  ENOENT: "its folder does not exist",
  ENOTDIR: "its folder does not exist",
  EISDIR: "it is a folder",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "this user may not write there",
  ENOSPC: "the disk is full",
};

/**
 * Writes a file beside `file`, which then replaces it whole: an interruption leaves `file` unchanged and nothing beside it.
 * Throws with the file's name and the reason.
 */
export async function replaceFile(
  file: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  // Follows a link: replacing the link itself would leave its target unchanged.
  const target = await realpath(file).catch(() => file);
  const found = await stat(target).catch(() => undefined);
  if (found?.isFile() === false) throw new Error(`${file} can't be written: it is not a file.`);
  const beside = `${target}.${process.pid}.part`;
  try {
    // Closes the file before it throws. A stream of pipeline() may create it after the removal below.
    await writeFile(beside, content);
    // The new file keeps the old permissions, so nobody gains access.
    if (found !== undefined) await chmod(beside, found.mode);
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true });
    throw new Error(whyUnwritten(file, error, found !== undefined), { cause: error });
  }
}

function whyUnwritten(file: string, error: unknown, wasThere: boolean): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message : String(error);
  const end = wasThere ? " It is unchanged." : "";
  const reason = REASONS[code];
  return reason === undefined
    ? `${file} was not written: ${message.replace(/\.$/, "")}.${end}`
    : `${file} can't be written: ${reason}.${end}`;
}
