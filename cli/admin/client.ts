import type { Command } from "commander";
import * as z from "zod";
import { readDemoKeys } from "../local/demo-users.ts";
import { parseJson } from "../read-file.ts";
import { safeUrl } from "../safe-url.ts";
import { DEFAULT_STATE_DIR, findServer } from "../local/server.ts";

/** Where the access key of an admin is read from: never from an argument, which other users of a machine can see. */
export const KEY_VARIABLE = "CATALOG_ADMIN_KEY";

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

const problemSchema = z.looseObject({ error: z.string(), next: z.string() });

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
  const key =
    process.env[KEY_VARIABLE] ?? (url === undefined ? (await readDemoKeys(state))["user-admin"] : undefined);
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
  const text = await response.text();
  const { data: problem } = problemSchema.safeParse(parseJson(text));
  throw new Error(
    problem === undefined
      ? `${base} answered HTTP ${response.status}: ${text.trim().slice(0, 500)}`
      : `${problem.error} ${problem.next}`,
  );
}
