import * as z from "zod";
import { parseJson } from "../read-file.ts";
import { safeUrl } from "../safe-url.ts";
import { serverMessage } from "../server-message.ts";
import { readDemoKeys } from "../local/demo-keys.ts";
import { NO_SERVER, findServer } from "../local/server.ts";

/**
 * The variable that holds an admin's access key. It is never an argument, because other users of a machine
 * can see those.
 */
export const KEY_VARIABLE = "CATALOG_ADMIN_KEY";

/** The variable that holds the recovery code, which vouches for commands that make users and keys. */
export const CODE_VARIABLE = "CATALOG_RECOVERY_CODE";

/** The server that a command talks to, and how it prints. */
export interface AdminOptions {
  url?: string;
  state: string;
  json?: boolean;
}

const problemSchema = z.looseObject({ error: z.string(), next: z.string(), code: z.string() });

/**
 * Refusal codes whose `next` is advice for a calling model. For these the terminal shows the error and a hint
 * of this file.
 */
const ADVISES_MODELS = new Set(["not_found", "conflict", "invalid_arguments"]);

/** The command that lists the ids of a path; the first match wins. */
const LISTS: [path: RegExp, command: string][] = [
  [/^\/audit\//, "npx product-catalog-mcp audit list"],
  [/^\/keys\/./, "npx product-catalog-mcp keys list"],
  [/^\/feeds\/./, "npx product-catalog-mcp feed list"],
  [/^\/signing-keys\/./, "npx product-catalog-mcp signing-keys list"],
  [/./, "npx product-catalog-mcp users list"],
];

/**
 * Calls the admin API of the server at `url`, or of the one on this machine. Throws an Error with the
 * server's refusal.
 */
export async function callAdmin(
  { url, state }: { url?: string; state: string },
  method: string,
  path: string,
  body?: object,
): Promise<Response> {
  const base = url ?? (await findServer(state))?.url;
  if (base === undefined) throw new Error(NO_SERVER);
  const own = process.env[KEY_VARIABLE];
  const key = own ?? (url === undefined ? await demoAdminKey(state) : undefined);
  if (key === undefined) throw new Error(`Set ${KEY_VARIABLE} to the access key of an admin.`);
  const response = await fetch(new URL(`/admin/api${path}`, safeUrl(base)), {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new Error(`${base} does not answer. Check the URL, and that the server runs.`, {
      cause: error,
    });
  });
  if (response.ok) return response;
  const { data: problem } = problemSchema.safeParse(parseJson(await response.clone().text()));
  if (problem === undefined)
    throw new Error(`${base} answered HTTP ${response.status}: ${await serverMessage(response)}`);
  const { error, next, code } = problem;
  const theKey = own === undefined ? "the demo admin's key" : `the access key in ${KEY_VARIABLE}`;
  if (code === "unauthenticated")
    throw new Error(`${base} rejects ${theKey}. Set ${KEY_VARIABLE} to an admin's access key.`);
  if (code === "permission_denied") throw new Error(`${error} ${theKey.replace(/^t/, "T")} lacks it.`);
  const list = LISTS.find(([those]) => those.test(path))?.[1];
  const hint = code === "not_found" && list !== undefined ? `List the existing ones: ${list}` : "";
  throw new Error(`${error} ${ADVISES_MODELS.has(code) ? hint : next}`.trim());
}

async function demoAdminKey(stateDir: string): Promise<string | undefined> {
  return (await readDemoKeys(stateDir))["user-admin"];
}
