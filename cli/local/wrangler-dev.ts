import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Statement } from "../../src/database/statement.ts";
import { hashSecret } from "../../src/identity/secrets.ts";
import { readDemoKeys } from "./demo-keys.ts";
import { commandLineOf, parentOf } from "./processes.ts";
import { safeUrl } from "../safe-url.ts";
import type { LocalServer, Row } from "./server.ts";

// A running `npx wrangler dev`. Commands reach its database through wrangler's own Local Explorer, which exists only on the
// machine of a developer. The deployed Worker has no such endpoint.

/** The variable that holds the URL of a `wrangler dev` that chose its port itself. */
export const WRANGLER_DEV_VARIABLE = "CATALOG_DEV_URL";
const DEFAULT_PORT = "8787";
const DATABASES = "/cdn-cgi/local/explorer/api/d1/database";
/** wrangler names the local database by its binding. */
const DATABASE = "DB";
const PROBE_MS = 2_000;
/** Keeps the question from being passed on to other sessions. */
const HEADERS = { "content-type": "application/json", "X-Miniflare-Explorer-No-Aggregate": "true" };

const answerSchema = z.union([
  z.object({
    success: z.literal(true),
    result: z.array(
      z.object({
        results: z.object({ columns: z.array(z.string()), rows: z.array(z.array(z.unknown())) }),
      }),
    ),
  }),
  z.object({ success: z.literal(false), errors: z.array(z.object({ message: z.string() })) }),
]);

const notePath = (stateDir: string) => join(stateDir, "wrangler-dev.pid");

/** Notes which process uses a state folder: the `wrangler dev` that started this one, by way of a shell. */
export async function noteWranglerDev(stateDir: string): Promise<void> {
  let pid: number | undefined = process.ppid;
  while (pid !== undefined && pid > 1 && (await wranglerDevAt(pid)) === undefined) pid = await parentOf(pid);
  if (pid !== undefined) await writeFile(notePath(stateDir), String(pid));
}

/** Returns the command line of a process that is `wrangler dev`: another program may have a noted id by now. */
async function wranglerDevAt(pid: number): Promise<string | undefined> {
  const line = await commandLineOf(pid);
  return line !== undefined && /wrangler.* dev\b/.test(line) ? line : undefined;
}

/**
 * Returns the running `wrangler dev` that uses a state folder; undefined if none does. Throws an Error if one runs but
 * does not answer where it should.
 */
export async function findWranglerDev(stateDir: string): Promise<LocalServer | undefined> {
  const line = await wranglerDevAt(Number(await readFile(notePath(stateDir), "utf8").catch(() => "")));
  const [, port = DEFAULT_PORT] = /--port[= ](\d+)/.exec(line ?? "") ?? [];
  const { origin } = new URL(safeUrl(process.env[WRANGLER_DEV_VARIABLE] ?? `http://127.0.0.1:${port}`));
  const found = await connectTo(origin, stateDir);
  if (found === undefined && line !== undefined)
    throw new Error(
      `npx wrangler dev uses the local state, but does not answer at ${origin}. Wait until it has started, or set ${WRANGLER_DEV_VARIABLE} to the URL that it prints.`,
    );
  return found;
}

async function connectTo(url: string, stateDir: string): Promise<LocalServer | undefined> {
  const keys = await readDemoKeys(stateDir);
  const hashes = Object.values(keys).map(hashSecret);
  if (hashes.length === 0 || !(await hasExplorer(url))) return undefined;
  // Another project may run there, or this one on another folder.
  const [known = []] = await query(url, [
    {
      sql: "SELECT id FROM access_keys WHERE hash IN (SELECT value FROM json_each(?1))",
      values: [JSON.stringify(hashes)],
    },
  ]).catch((): Row[][] => []);
  if (known.length === 0) return undefined;
  return {
    kind: "wrangler",
    url,
    async batch(statements) {
      // Lets the Worker apply its migrations.
      await (await fetch(`${url}/readyz`)).text();
      return query(url, statements);
    },
    callMcp(body, { headers, signal }) {
      // The demo support agent has the role of local programs.
      const authorization = `Bearer ${keys["user-support"] ?? ""}`;
      return fetch(`${url}/mcp`, { method: "POST", headers: { ...headers, authorization }, body, signal });
    },
    async close() {},
  };
}

async function hasExplorer(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}${DATABASES}`, {
      headers: HEADERS,
      signal: AbortSignal.timeout(PROBE_MS),
    });
    return (await response.text()).includes(`"uuid":"${DATABASE}"`);
  } catch {
    return false;
  }
}

/** Runs statements as one atomic batch; returns the rows of each. */
async function query(url: string, statements: readonly Statement[]): Promise<Row[][]> {
  const response = await fetch(`${url}${DATABASES}/${DATABASE}/raw`, {
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify({ batch: statements.map(withTexts) }),
  });
  const answer = answerSchema.parse(await response.json());
  if (!answer.success)
    throw new Error(`The local database refused: ${answer.errors.map(({ message }) => message).join("; ")}`);
  return answer.result.map(({ results: { columns, rows } }) =>
    rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]]))),
  );
}

/** The explorer takes only texts as parameters, so numbers and null become part of the statement. */
export function withTexts({ sql, values }: Statement): { sql: string; params: string[] } {
  const params: string[] = [];
  const places = values.map((value) => {
    if (typeof value !== "string") return value === null ? "NULL" : `(${value})`;
    params.push(value);
    return `?${params.length}`;
  });
  return {
    sql: sql.replaceAll(/\?(\d+)/g, (_, number: string) => places[Number(number) - 1] ?? "NULL"),
    params,
  };
}
