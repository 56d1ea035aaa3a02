import { readFileSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions as readWorkerOptions } from "wrangler";
import { followProgram } from "../../cli/local/child-programs.ts";
import { ROOT, wrangler } from "../../cli/wrangler.ts";
import { writeFarEntry } from "./far-entry.ts";

/** A Worker to bundle. Paths are relative to the repository. */
export interface Build {
  /** Its wrangler.toml. */
  config: string;
  /** Files in the place of modules, by the name under which the code imports them. */
  standIns?: Readonly<Record<string, string>>;
}

export interface Bundle {
  /** The bundle's entry file. */
  path: string;
  config: string;
}

/** Bundles a Worker as `wrangler deploy` would send it. Throws if a stand-in is not part of the bundle. */
export async function bundle({ config, standIns = {} }: Build, outDir: string): Promise<Bundle> {
  const configPath = join(ROOT, config);
  const metafile = join(outDir, "bundle-meta.json");
  const aliases = Object.entries(standIns).flatMap(([from, to]) => ["--alias", `${from}:${join(ROOT, to)}`]);
  const args = ["--outdir", outDir, "--config", configPath, "--metafile", metafile, ...aliases];
  await wrangler(["deploy", "--dry-run", ...args]);
  const meta = await readFile(metafile, "utf8");
  const missing = Object.values(standIns).find((file) => !meta.includes(`"${file}"`));
  if (missing !== undefined) throw new Error(`${missing} is not in the bundle: what it replaces has moved.`);
  const { main } = readWorkerOptions(configPath);
  if (main === undefined) throw new Error(`${config} names no entry file.`);
  return { path: join(outDir, basename(main).replace(/\.tsx?$/, ".js")), config: configPath };
}

export interface Runtime {
  /** Without a trailing slash; requests reach workerd directly. */
  url: string;
  /** Milliseconds of processor time that workerd has used so far; only Linux tells. */
  cpuMs(): number;
  /** Suspends the process until `resume`; its background work waits meanwhile. */
  pause(): void;
  resume(): void;
  /** The URL of the Chrome DevTools Protocol, if it was requested. */
  inspector(): Promise<URL>;
  close(): Promise<void>;
}

/**
 * Runs a bundle with its configuration's bindings on a state folder, without a proxy. With `isFar`, its bindings take the
 * delays that `setDelays` sets.
 */
export async function run(
  { path, config }: Bundle,
  stateDir: string,
  { inspected = false, isFar = false } = {},
): Promise<Runtime> {
  // In production Cloudflare itself serves static assets, and asks the Worker first here. Miniflare uses a
  // JavaScript Worker for them that every request would pass, and its cost would count as the product's.
  const { assets: _, ...workerOptions } = readWorkerOptions(config).workerOptions;
  const name = "bench";
  const objects = Object.values(workerOptions.durableObjects ?? {}).map((object) =>
    typeof object === "string" ? object : object.className,
  );
  const entries = isFar ? [await writeFarEntry(path, objects), path] : [path];
  const texts = (await readdir(dirname(path))).filter((file) => file.endsWith(".sql"));
  let pid = 0;
  const unfollow = followProgram("workerd", ([first = 0]) => (pid = first));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...workerOptions,
      name,
      bindings: { SECRET_KEY: "for the benchmark alone, for the benchmark alone" },
      modulesRoot: dirname(path),
      modules: [
        ...entries.map((entry) => ({ type: "ESModule" as const, path: entry })),
        ...texts.map((file) => ({ type: "Text" as const, path: join(dirname(path), file) })),
      ],
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      resourcePersistencePath: join(stateDir, "v3"),
      cf: false,
      ...(inspected && { inspectorPort: 0 }),
      log: new Log(LogLevel.ERROR),
      // workerd writes two lines per call that nobody reads here.
      handleStructuredLogs: () => {},
    }),
  );
  const url = await miniflare.unsafeGetDirectURL(name);
  unfollow();
  return {
    url: url.origin,
    cpuMs: () => cpuMs(pid),
    pause: () => void process.kill(pid, "SIGSTOP"),
    resume: () => void process.kill(pid, "SIGCONT"),
    async inspector() {
      const inspector = await miniflare.getInspectorURL();
      return new URL(inspector.href.replace(/^ws/, "http"));
    },
    close: () => miniflare.dispose(),
  };
}

const TICK_MS = 10;

/**
 * Returns the processor time of a process in milliseconds; NaN where the system is not Linux. proc(5): fields 14 and 15 of
 * /proc/PID/stat, counted after the name, which may contain spaces.
 */
export function cpuMs(pid: number): number {
  if (process.platform !== "linux") return Number.NaN;
  const [, behind = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const fields = behind.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
