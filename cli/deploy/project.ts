import { type Hash, createHash } from "node:crypto";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parse } from "smol-toml";
import * as z from "zod";
import type { Wanted } from "./plan.ts";
import { ROOT, wrangler } from "../wrangler.ts";

const CONFIG = join(ROOT, "wrangler.toml");
/** This file stands beside wrangler.toml, because its paths are relative to that folder. */
const CONNECTING_CONFIG = join(ROOT, ".wrangler-connect.toml");
const ASSETS = join(ROOT, "public");
const STORE_BINDING = "OAUTH_KV";

export const DATABASE_BINDING = "DB";

const configSchema = z.object({
  name: z.string(),
  account_id: z.string().optional(),
  vars: z.record(z.string(), z.unknown()).default({}),
  d1_databases: z.array(z.object({ binding: z.string(), database_name: z.string().optional() })),
});

export interface Project extends Omit<Wanted, "digest"> {
  /** The account that wrangler.toml names. */
  accountId: string | undefined;
  publicUrl: string | undefined;
}

/** Reads what a deployment needs of wrangler.toml. wrangler's own reader takes a second to load. */
export async function readProject(): Promise<Project> {
  const config = configSchema.safeParse(parse(await readFile(CONFIG, "utf8")));
  const databases = config.data?.d1_databases ?? [];
  const database = databases.find(({ binding }) => binding === DATABASE_BINDING)?.database_name;
  if (!config.success || database === undefined)
    throw new Error(
      `wrangler.toml lacks name, or database_name of the binding ${DATABASE_BINDING}. Restore them from the repository.`,
    );
  const { name, account_id, vars } = config.data;
  const publicUrl = vars["PUBLIC_URL"];
  return {
    worker: name,
    database,
    store: `${name}-${STORE_BINDING.toLowerCase().replaceAll("_", "-")}`,
    settings: Object.keys(vars),
    accountId: account_id,
    publicUrl: typeof publicUrl === "string" && publicUrl !== "" ? publicUrl : undefined,
  };
}

/** Builds the Worker. Returns the first 32 hex digits of the SHA-256 of the uploaded files and wrangler.toml. */
export async function digestOfBuild(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "catalog-build-"));
  try {
    await wrangler(["deploy", "--dry-run", "--outdir", folder]);
    // The README contains the build time, and the source map is only for stack traces.
    const files = (await readdir(folder)).filter((file) => !/\.(md|map)$/.test(file)).toSorted();
    const hash = createHash("sha256").update(await readFile(CONFIG));
    for (const file of files) hash.update(`\n${file}\n`).update(await readFile(join(folder, file)));
    // Assets are uploaded beside the build.
    await addFolder(hash, ASSETS);
    return hash.digest("hex").slice(0, 32);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Adds each file of a folder and its folders to a digest, with its path. */
export async function addFolder(hash: Hash, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.toSorted())
    hash.update(`\n${relative(folder, path)}\n`).update(await readFile(path));
}

/**
 * Runs `work` with the configuration to deploy by: wrangler.toml, or a copy that names an existing namespace.
 * wrangler creates a namespace for a Worker that has none, and fails if an interrupted run already created
 * it.
 */
export async function withConfig<T>(
  storeId: string | undefined,
  work: (config: string) => Promise<T>,
): Promise<T> {
  if (storeId === undefined) return work(CONFIG);
  const text = await readFile(CONFIG, "utf8");
  const line = `binding = "${STORE_BINDING}"`;
  if (!text.includes(line))
    throw new Error(`wrangler.toml lacks the line ${line}. Restore it from the repository.`);
  await writeFile(CONNECTING_CONFIG, text.replace(line, `${line}\nid = "${storeId}"`));
  try {
    return await work(CONNECTING_CONFIG);
  } finally {
    await rm(CONNECTING_CONFIG);
  }
}
