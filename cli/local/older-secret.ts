import { readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Returns the SECRET_KEY of a state folder that an earlier release made, because its stored hashes must still match. In a newer
 * folder the Worker keeps its own key.
 */
export async function olderSecret(stateDir: string): Promise<{ SECRET_KEY?: string }> {
  const text = await readFile(join(stateDir, "secret-key"), "utf8").catch(() => "");
  return text === "" ? {} : { SECRET_KEY: text };
}
