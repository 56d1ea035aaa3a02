import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { distance } from "fastest-levenshtein";
import { isLoopback } from "../safe-url.ts";

/** The settings of src/env.ts; a test keeps both lists equal. */
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
  "ENTERPRISE_AUTHORIZATION",
  "CLIENT_METADATA_DOCUMENTS",
  "INCIDENT_WEBHOOK_URL",
  "INCIDENT_WEBHOOK_SECRET",
  "STOCK_WEBHOOK_SECRET",
  "METRICS_TOKEN",
];

/** Reads the variables of a folder's .dev.vars; empty without such a file, or if CATALOG_DEV_VARS is "off", as it is for tests. */
export async function readDevVars(folder: string): Promise<Record<string, string>> {
  if (process.env["CATALOG_DEV_VARS"] === "off") return {};
  const text = await readFile(join(folder, ".dev.vars"), "utf8").catch(() => "");
  return Object.fromEntries(Object.entries(parseEnv(text)).map(([name, value = ""]) => [name, value]));
}

/** Returns a line for each name that is not a setting, because the Worker ignores unknown names silently. */
export function unknownSettings(vars: Record<string, string>): string[] {
  return Object.keys(vars)
    .filter((name) => !SETTINGS.includes(name))
    .map((name) => {
      const [nearest = ""] = SETTINGS.toSorted((a, b) => distance(name, a) - distance(name, b));
      return `.dev.vars: ${name} is not a setting and is ignored. Did you mean ${nearest}?`;
    });
}

/** Returns the setting that refuses callers without a token, or undefined if they are served. */
export function anonymousRefusedBy(vars: Record<string, string>): string | undefined {
  const { LOCAL_ANONYMOUS, PUBLIC_URL = "" } = vars;
  if (LOCAL_ANONYMOUS === "off") return "LOCAL_ANONYMOUS=off";
  // A server with a public URL elsewhere counts as deployed.
  const isElsewhere = URL.canParse(PUBLIC_URL) && !isLoopback(new URL(PUBLIC_URL));
  return isElsewhere ? `PUBLIC_URL=${PUBLIC_URL}` : undefined;
}
