import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { distance } from "fastest-levenshtein";
import { isLoopback } from "../safe-url.ts";

/** Those of src/env.ts; a test keeps the two alike. */
export const SETTINGS = [
  "PUBLIC_URL",
  "ALLOWED_HOSTS",
  "ALLOWED_ORIGINS",
  "SECRET_KEY",
  "PUBLIC_CATALOG",
  "LOCAL_ANONYMOUS",
  "CALL_DEADLINE_MS",
  "OUTBOUND_DEADLINE_MS",
  "OIDC_ISSUER",
  "OIDC_CLIENT_ID",
  "OIDC_CLIENT_SECRET",
  "INCIDENT_WEBHOOK_URL",
  "INCIDENT_WEBHOOK_SECRET",
  "METRICS_TOKEN",
];

/** What .dev.vars in a folder sets, by name; nothing where there is none. */
export async function readDevVars(folder: string): Promise<Record<string, string>> {
  const text = await readFile(join(folder, ".dev.vars"), "utf8").catch(() => "");
  return Object.fromEntries(Object.entries(parseEnv(text)).map(([name, value = ""]) => [name, value]));
}

/** A line for each name that is no setting: the Worker takes what it knows, and says nothing of the rest. */
export function unknownSettings(vars: Record<string, string>): string[] {
  return Object.keys(vars)
    .filter((name) => !SETTINGS.includes(name))
    .map((name) => {
      const [nearest = ""] = SETTINGS.toSorted((a, b) => distance(name, a) - distance(name, b));
      return `.dev.vars: ${name} is no setting, and changes nothing. The nearest is ${nearest}.`;
    });
}

/** The setting by which callers without a token are refused on this machine too; undefined where they are served. */
export function anonymousRefusedBy(vars: Record<string, string>): string | undefined {
  const { LOCAL_ANONYMOUS, PUBLIC_URL = "" } = vars;
  if (LOCAL_ANONYMOUS === "off") return "LOCAL_ANONYMOUS=off";
  // By it a server is known as one that is not on this machine.
  const isElsewhere = URL.canParse(PUBLIC_URL) && !isLoopback(new URL(PUBLIC_URL));
  return isElsewhere ? `PUBLIC_URL=${PUBLIC_URL}` : undefined;
}
