import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { parseJsonAs } from "../read-file.ts";

const keysSchema = z.record(z.string(), z.string());

/** Returns the file that holds the demo users' keys of a state folder. */
export const demoKeysPath = (stateDir: string): string => join(stateDir, "demo-keys.json");

/** Reads the keys that an earlier start created; empty if there are none. */
export async function readDemoKeys(stateDir: string): Promise<Record<string, string>> {
  const path = demoKeysPath(stateDir);
  const text = await readFile(path, "utf8").catch(() => "{}");
  return parseJsonAs(keysSchema, text, path, "the demo users' keys");
}
