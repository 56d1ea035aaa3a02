import * as z from "zod";
import type { Statement } from "../../src/database/statement.ts";
import { hashSecret } from "../../src/identity/secrets.ts";
import { readDemoKeys } from "./demo-keys.ts";
import { safeUrl } from "../safe-url.ts";
import type { LocalServer, Row } from "./server.ts";

// A running `npx wrangler dev`. Commands reach its database through wrangler's own Local Explorer, which exists only on the
// machine of a developer. The deployed Worker has no such endpoint.

/** The variable that holds the URL of a `wrangler dev` on another port. */
export const WRANGLER_DEV_VARIABLE = "CATALOG_DEV_URL";
const DEFAULT_URL = "http://127.0.0.1:8787";
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

/** Returns the running `wrangler dev` that uses a state folder; undefined if none does. */
export async function findWranglerDev(stateDir: string): Promise<LocalServer | undefined> {
  const { origin: url } = new URL(safeUrl(process.env[WRANGLER_DEV_VARIABLE] ?? DEFAULT_URL));
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
