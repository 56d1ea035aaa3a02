import { createHash } from "node:crypto";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import type { Wanted } from "./plan.ts";
import { ROOT, wrangler } from "../wrangler.ts";

const CONFIG = join(ROOT, "wrangler.toml");
/** Beside wrangler.toml, whose paths are relative to it. */
const CONNECTING_CONFIG = join(ROOT, ".wrangler-connect.toml");
const ASSETS = join(ROOT, "public", "assets");
const STORE_BINDING = "OAUTH_KV";

export const DATABASE_BINDING = "DB";

const configSchema = z.object({
  name: z.string(),
  account_id: z.string().optional(),
  vars: z.record(z.string(), z.unknown()),
  d1_databases: z.array(z.object({ binding: z.string(), database_name: z.string().optional() })),
});

export interface Project extends Wanted {
  /** The account that wrangler.toml names. */
  accountId: string | undefined;
  publicUrl: string | undefined;
}

/** Reads wrangler.toml as wrangler does, and builds the Worker to know its digest. Asks nobody outside. */
export async function readProject(): Promise<Project> {
  // Loaded here: it takes a second, which --help need not wait for.
  const { unstable_readConfig: readConfig } = await import("wrangler");
  const config = configSchema.safeParse(readConfig({ config: CONFIG }, { hideWarnings: true }));
  const databases = config.data?.d1_databases ?? [];
  const database = databases.find(({ binding }) => binding === DATABASE_BINDING)?.database_name;
  if (!config.success || database === undefined)
    throw new Error(
      `wrangler.toml lacks name, or database_name of the binding ${DATABASE_BINDING}: take them from the repository again.`,
    );
  const { name, account_id, vars } = config.data;
  const publicUrl = vars["PUBLIC_URL"];
  return {
    worker: name,
    database,
    store: `${name}-${STORE_BINDING.toLowerCase().replaceAll("_", "-")}`,
    digest: await digestOfBuild(),
    settings: Object.keys(vars),
    accountId: account_id,
    publicUrl: typeof publicUrl === "string" && publicUrl !== "" ? publicUrl : undefined,
  };
}

/** SHA-256 of what a deployment uploads and of wrangler.toml; the first 32 digits. */
async function digestOfBuild(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "catalog-build-"));
  try {
    await wrangler(["deploy", "--dry-run", "--outdir", folder]);
    // The README carries the time, the map is for stack traces.
    const files = (await readdir(folder)).filter((file) => !/\.(md|map)$/.test(file)).toSorted();
    const hash = createHash("sha256").update(await readFile(CONFIG));
    for (const file of files) hash.update(`\n${file}\n`).update(await readFile(join(folder, file)));
    // Uploaded beside the build.
    for (const file of (await readdir(ASSETS)).toSorted())
      hash.update(`\n${file}\n`).update(await readFile(join(ASSETS, file)));
    return hash.digest("hex").slice(0, 32);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Hands `work` the configuration to deploy by: wrangler.toml, or a copy that names an existing namespace. wrangler
 * makes a namespace for a Worker that has none, and fails where an earlier run that broke off has made it.
 */
export async function withConfig<T>(
  storeId: string | undefined,
  work: (config: string) => Promise<T>,
): Promise<T> {
  if (storeId === undefined) return work(CONFIG);
  const text = await readFile(CONFIG, "utf8");
  const line = `binding = "${STORE_BINDING}"`;
  if (!text.includes(line))
    throw new Error(`wrangler.toml has no line ${line}: take it from the repository again.`);
  await writeFile(CONNECTING_CONFIG, text.replace(line, `${line}\nid = "${storeId}"`));
  try {
    return await work(CONNECTING_CONFIG);
  } finally {
    await rm(CONNECTING_CONFIG);
  }
}
