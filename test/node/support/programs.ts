import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Returns the programs that no folder of PATH holds. */
export function missingPrograms(names: readonly string[]): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const extensions = process.platform === "win32" ? [".exe", ".cmd"] : [""];
  return names.filter(
    (name) =>
      !folders.some((folder) => extensions.some((extension) => existsSync(join(folder, name + extension)))),
  );
}
