import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "smol-toml";
import * as z from "zod";

const ignored = z.unknown().optional();
const list = <Item extends z.ZodType>(item: Item) => z.array(item).default([]);

/**
 * The settings of wrangler.toml that a Worker needs on this machine. wrangler's own reader takes a second to
 * load. An unknown key is an error, so that no binding is lost silently.
 */
const configSchema = z.strictObject({
  name: z.string(),
  compatibility_date: z.string(),
  compatibility_flags: list(z.string()),
  vars: z.record(z.string(), z.string()).default({}),
  keep_names: z.boolean().default(true),
  /** Modules that stand in for others in the bundle. Paths are relative to the file. */
  alias: z.record(z.string(), z.string()).default({}),
  d1_databases: list(z.looseObject({ binding: z.string(), database_id: z.string().optional() })),
  kv_namespaces: list(z.looseObject({ binding: z.string(), id: z.string().optional() })),
  r2_buckets: list(z.looseObject({ binding: z.string(), bucket_name: z.string().optional() })),
  durable_objects: z
    .strictObject({ bindings: list(z.strictObject({ name: z.string(), class_name: z.string() })) })
    .prefault({}),
  exports: z
    .record(z.string(), z.strictObject({ type: z.literal("durable-object"), storage: z.literal("sqlite") }))
    .default({}),
  analytics_engine_datasets: list(z.strictObject({ binding: z.string(), dataset: z.string() })),
  /** The Worker runs first, and fetches files itself. */
  assets: z
    .strictObject({ directory: z.string(), binding: z.string(), run_worker_first: z.literal(true) })
    .optional(),
  // These keys only matter for wrangler itself.
  build: ignored,
  main: ignored,
  observability: ignored,
  upload_source_maps: ignored,
  minify: ignored,
});

export interface LocalWorker {
  /** The options in Miniflare's form. */
  options: {
    name: string;
    compatibilityDate: string;
    compatibilityFlags: string[];
    bindings: Record<string, string>;
    d1Databases: Record<string, { id: string }>;
    kvNamespaces: Record<string, { id: string }>;
    r2Buckets: Record<string, { id: string }>;
    durableObjects: Record<string, { className: string; useSQLite: true }>;
    analyticsEngineDatasets: Record<string, { dataset: string }>;
    assets?: {
      directory: string;
      binding: string;
      routerConfig: { has_user_worker: true; invoke_user_worker_ahead_of_assets: true };
    };
  };
  /** Whether functions keep their names when the bundler renames them. */
  keepNames: boolean;
  /** Absolute paths of modules that stand in for others, by the other's name. */
  alias: Record<string, string>;
}

/** Reads a wrangler.toml. Throws with the names of unknown or wrong keys. */
export async function readWranglerConfig(path: string): Promise<LocalWorker> {
  const parsed = configSchema.safeParse(parse(await readFile(path, "utf8")));
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`);
  const config = parsed.data;
  return {
    options: {
      name: config.name,
      compatibilityDate: config.compatibility_date,
      compatibilityFlags: config.compatibility_flags,
      bindings: config.vars,
      d1Databases: byName(config.d1_databases, ({ binding, database_id: id = binding }) => [binding, { id }]),
      kvNamespaces: byName(config.kv_namespaces, ({ binding, id = binding }) => [binding, { id }]),
      r2Buckets: byName(config.r2_buckets, ({ binding, bucket_name: id = binding }) => [binding, { id }]),
      durableObjects: byName(config.durable_objects.bindings, ({ name, class_name: className }) => [
        name,
        { className, useSQLite: true },
      ]),
      analyticsEngineDatasets: byName(config.analytics_engine_datasets, ({ binding, dataset }) => [
        binding,
        { dataset },
      ]),
      ...(config.assets && {
        assets: {
          directory: resolve(dirname(path), config.assets.directory),
          binding: config.assets.binding,
          routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true } as const,
        },
      }),
    },
    keepNames: config.keep_names,
    alias: Object.fromEntries(
      Object.entries(config.alias).map(([name, file]) => [name, resolve(dirname(path), file)]),
    ),
  };
}

const byName = <Item, Value>(items: Item[], entry: (item: Item) => [string, Value]): Record<string, Value> =>
  Object.fromEntries(items.map(entry));
