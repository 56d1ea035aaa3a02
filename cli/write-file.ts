import { chmod, realpath, rename, rm, stat } from "node:fs/promises";

const REASONS: Record<string, string> = {
  ENOENT: "its folder is not there",
  ENOTDIR: "its folder is not there",
  EISDIR: "it is a folder",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "this user may not write there",
  ENOSPC: "the disk is full",
};

/**
 * Has `write` make a file beside `file`, which then takes its place whole: what breaks off leaves `file` as it was. Throws with
 * the file's name and why it was not written.
 */
export async function replaceFile(file: string, write: (beside: string) => Promise<void>): Promise<void> {
  // Behind a link, where there is one: a new file in its place would leave what it points to as it was.
  const target = await realpath(file).catch(() => file);
  const found = await stat(target).catch(() => undefined);
  if (found?.isFile() === false) throw new Error(`${file} can't be written: it is no file.`);
  const beside = `${target}.${process.pid}.part`;
  try {
    await write(beside);
    // Who could not read the one before can't read this one.
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
  const end = wasThere ? " It is as it was." : "";
  const reason = REASONS[code];
  return reason === undefined
    ? `${file} was not written: ${message.replace(/\.$/, "")}.${end}`
    : `${file} can't be written: ${reason}.${end}`;
}
