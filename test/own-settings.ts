import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { SETTINGS } from "../cli/local/dev-vars.ts";
import { readSettings } from "../src/env.ts";

/**
 * Returns variables that undo a developer's .dev.vars where wrangler reads it: each of its settings with the value that it has
 * when it is not set. Empty without such a file.
 */
export function undoDevVars(path = ".dev.vars"): Record<string, string> {
  const defaults = readSettings({});
  if (!defaults.ok) throw new Error("The settings have no defaults.");
  const unset: Record<string, unknown> = defaults.settings;
  return Object.fromEntries(
    Object.keys(parseEnv(read(path)))
      .filter((name) => SETTINGS.includes(name))
      .map((name) => [name, textOf(unset[name])]),
  );
}

const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
