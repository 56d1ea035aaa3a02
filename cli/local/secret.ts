import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Returns this state folder's SECRET_KEY. It is kept, because values hashed with it must still match after a
 * restart.
 */
export async function localSecret(stateDir: string): Promise<string> {
  const path = join(stateDir, "secret-key");
  const known = await readFile(path, "utf8").catch(() => "");
  if (known !== "") return known;
  const secret = randomBytes(32).toString("base64url");
  await writeFile(path, secret, { mode: 0o600 });
  return secret;
}
