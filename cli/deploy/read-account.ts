import * as z from "zod";
import type { Deployed, Found } from "./plan.ts";
import { DATABASE_BINDING, type Project } from "./project.ts";
import { NO_WORKER, WranglerError, tryWrangler, wrangler } from "../wrangler.ts";

/**
 * The plain variable that holds the digest a version was deployed from. It belongs to the version and
 * survives rollbacks.
 */
export const DIGEST_VARIABLE = "DEPLOYED_DIGEST";
/** The commit that was deployed, for mcp_build_info (src/probes/metrics.ts). */
export const COMMIT_VARIABLE = "DEPLOYED_COMMIT";

export interface Account {
  id: string;
  name: string;
}

const whoamiSchema = z.object({
  loggedIn: z.boolean(),
  accounts: z.array(z.object({ id: z.string(), name: z.string() })).default([]),
});
const statusSchema = z.object({ versions: z.array(z.object({ version_id: z.string() })) });
const versionSchema = z.object({
  resources: z.object({
    bindings: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        text: z.string().optional(),
        id: z.string().optional(),
        database_id: z.string().optional(),
        namespace_id: z.string().optional(),
      }),
    ),
  }),
});
const databasesSchema = z.array(z.object({ name: z.string(), uuid: z.string() }));
const storesSchema = z.array(z.object({ id: z.string(), title: z.string() }));
const tablesSchema = z.array(z.object({ results: z.array(z.object({ name: z.string() })) }));

/**
 * Returns the account that wrangler would deploy to, or undefined if nobody is logged in. Throws if there are
 * several.
 */
export async function readAccount(configured: string | undefined): Promise<Account | undefined> {
  const ran = await tryWrangler(["whoami", "--json"]);
  const answer = ran.stdout.trim().startsWith("{") ? readJson(whoamiSchema, ran.stdout) : undefined;
  if (answer?.loggedIn === false) return undefined;
  if (answer === undefined || ran.code !== 0) throw new WranglerError(["whoami"], ran);
  const chosen = process.env["CLOUDFLARE_ACCOUNT_ID"] ?? configured;
  const { accounts } = answer;
  const [first, ...others] =
    chosen === undefined
      ? accounts
      : [accounts.find(({ id }) => id === chosen) ?? { id: chosen, name: chosen }];
  if (first === undefined) throw new Error("This login has no account. Log in again: npx wrangler login");
  if (others.length > 0)
    throw new Error(
      `This login has ${accounts.length} accounts. Set CLOUDFLARE_ACCOUNT_ID to one of them:\n${accounts
        .map(({ id, name }) => `  ${id}  ${name}`)
        .join("\n")}`,
    );
  return first;
}

/** Reads what already exists in the account. It changes nothing. */
export async function readFound(wanted: Pick<Project, "database" | "store">): Promise<Found> {
  const [worker, databases, stores] = await Promise.all([
    readWorker(),
    ask(databasesSchema, ["d1", "list", "--json"]),
    ask(storesSchema, ["kv", "namespace", "list"]),
  ]);
  const id = databases.find(({ name }) => name === wanted.database)?.uuid;
  const storeId = stores.find(({ title }) => title === wanted.store)?.id;
  const isBound = id !== undefined && worker?.databaseId === id;
  return {
    worker,
    storeId,
    database:
      id === undefined ? undefined : { id, tables: isBound ? undefined : await readTables(wanted.database) },
  };
}

async function readWorker(): Promise<Deployed | undefined> {
  const args = ["deployments", "status", "--json"];
  const ran = await tryWrangler(args);
  if (ran.apiCode === NO_WORKER) return undefined;
  if (ran.code !== 0) throw new WranglerError(args, ran);
  const { versions } = readJson(statusSchema, ran.stdout);
  const views = await Promise.all(
    versions.map(({ version_id }) => ask(versionSchema, ["versions", "view", version_id, "--json"])),
  );
  const bindings = views.flatMap(({ resources }) => resources.bindings);
  const database = bindings.find(({ name, type }) => type === "d1" && name === DATABASE_BINDING);
  const settings = bindings.filter(
    ({ name, type }) => type === "plain_text" && name !== DIGEST_VARIABLE && name !== COMMIT_VARIABLE,
  );
  return {
    digests: views.map(
      ({ resources }) => resources.bindings.find(({ name }) => name === DIGEST_VARIABLE)?.text,
    ),
    databaseId: database?.id ?? database?.database_id,
    storeId: bindings.find(({ type }) => type === "kv_namespace")?.namespace_id,
    settings: [...new Set(settings.map(({ name }) => name))],
  };
}

async function readTables(database: string): Promise<string[]> {
  const sql = "SELECT name FROM sqlite_master WHERE type = 'table'";
  const answers = await ask(tablesSchema, [
    "d1",
    "execute",
    database,
    "--remote",
    "--json",
    "--command",
    sql,
  ]);
  const names = answers.flatMap(({ results }) => results.map(({ name }) => name));
  // Internal tables of SQLite and D1 are skipped.
  return names.filter((name) => !/^(sqlite_|_cf_)/.test(name));
}

async function ask<T>(schema: z.ZodType<T>, args: string[]): Promise<T> {
  return readJson(schema, (await wrangler(args)).stdout);
}

/** wrangler may print a notice before the JSON. */
function readJson<T>(schema: z.ZodType<T>, text: string): T {
  const start = text.search(/^[[{]/m);
  const parsed = start === -1 ? undefined : schema.safeParse(JSON.parse(text.slice(start)));
  if (parsed?.success !== true)
    throw new Error(
      `wrangler's answer was not understood. Install the version of package.json with npm ci.\n${text}`,
    );
  return parsed.data;
}
