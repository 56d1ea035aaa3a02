import type { Command } from "commander";
import * as z from "zod";
import { parseJson } from "../read-file.ts";
import { safeUrl } from "../safe-url.ts";
import { saidBy } from "../said-by.ts";
import { DEFAULT_STATE_DIR, findServer } from "../local/server.ts";

/** Where the access key of an admin is read from: never from an argument, which other users of a machine can see. */
export const KEY_VARIABLE = "CATALOG_ADMIN_KEY";

/** Where the recovery code is read from by commands that make users and keys, to vouch for them. */
export const CODE_VARIABLE = "CATALOG_RECOVERY_CODE";

/** Which server a command talks to, and how it prints. */
export interface AdminOptions {
  url?: string;
  state: string;
  json?: boolean;
}

/** Gives a command the options that all commands of an admin have. */
export const withAdminOptions = (command: Command): Command =>
  command
    .option("--url <url>", "the server (default: the running npm run dev)")
    .option("--state <folder>", "where the local database lives", DEFAULT_STATE_DIR)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `\nThe access key of an admin is read from ${KEY_VARIABLE}; on this machine the demo admin's will do.`,
    );

const problemSchema = z.looseObject({ error: z.string(), next: z.string(), code: z.string() });

/** Codes whose `next` is said to a model that calls; a person at a terminal is told by the error alone, and by what is said here. */
const SAID_TO_MODELS = new Set(["not_found", "conflict", "invalid_arguments"]);

/** What lists the ids that a path can name; the first that fits. */
const LISTS: [path: RegExp, command: string][] = [
  [/^\/audit\//, "npm run -s audit -- list"],
  [/^\/keys\/./, "npm run -s admin -- keys list"],
  [/^\/signing-keys\/./, "npm run -s admin -- signing-keys list"],
  [/./, "npm run -s admin -- users list"],
];

/** Calls the admin API of the server at `url`, or of the one that runs here. Throws with what the server refused. */
export async function callAdmin(
  { url, state }: { url?: string; state: string },
  method: string,
  path: string,
  body?: object,
): Promise<Response> {
  const base = url ?? (await findServer(state))?.url;
  if (base === undefined)
    throw new Error("Nothing is running here. Start it with npm run dev, or give --url.");
  const own = process.env[KEY_VARIABLE];
  const key = own ?? (url === undefined ? await demoAdminKey(state) : undefined);
  if (key === undefined) throw new Error(`Set ${KEY_VARIABLE} to the access key of an admin.`);
  const response = await fetch(new URL(`/admin/api${path}`, safeUrl(base)), {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new Error(`${base} does not answer. Is it the right URL, and does the server run?`, {
      cause: error,
    });
  });
  if (response.ok) return response;
  const { data: problem } = problemSchema.safeParse(parseJson(await response.clone().text()));
  if (problem === undefined)
    throw new Error(`${base} answered HTTP ${response.status}: ${await saidBy(response)}`);
  const { error, next, code } = problem;
  const theKey = own === undefined ? "the demo admin's key" : `the access key in ${KEY_VARIABLE}`;
  if (code === "unauthenticated")
    throw new Error(`${base} does not take ${theKey}. Set ${KEY_VARIABLE} to one of an admin's.`);
  if (code === "permission_denied") throw new Error(`${error} It is not one that ${theKey} has.`);
  const list = LISTS.find(([those]) => those.test(path))?.[1];
  const hint = code === "not_found" && list !== undefined ? `${list} has those that there are.` : "";
  throw new Error(`${error} ${SAID_TO_MODELS.has(code) ? hint : next}`.trim());
}

async function demoAdminKey(stateDir: string): Promise<string | undefined> {
  // It reads policy.json while it loads, which no other of these commands needs.
  const { readDemoKeys } = await import("../local/demo-users.ts");
  return (await readDemoKeys(stateDir))["user-admin"];
}
