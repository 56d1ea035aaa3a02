import { type FSWatcher, watch as watchFiles } from "node:fs";
import { type Bundle, bundleOnce, watchBundle } from "./bundle.ts";
import { createRuntime, isStartFailure } from "./miniflare-runtime.ts";
import { readWranglerConfig } from "./wrangler-config.ts";

/** Options of a Worker that runs on this machine. */
export interface EngineOptions {
  /** Path of a wrangler.toml. */
  config: string;
  /** The Worker's entry file. */
  entrypoint: string;
  stateDir: string;
  /** The local address to listen on. */
  host: string;
  /** 0 picks a free port. */
  port: number;
  /** Variables that override those of the configuration and of .dev.vars. */
  vars: Record<string, string>;
  /**
   * Rebuilds the Worker after each change of its files. While the build fails, every request gets 503 with
   * the reason.
   */
  watch: boolean;
  /** Runs once before `port` is opened; the Worker listens at `url` meanwhile. */
  prepare: (url: string) => Promise<void>;
  /** Runs each time `port` is opened at `url`, for the Worker or for the page that says why it cannot run. */
  onOpen: (url: string) => Promise<void>;
  /** Receives each line of the Worker's log. Without it, only errors are printed, on standard error. */
  onLog: ((line: string) => void) | undefined;
  /** Receives a sentence for the person who started it: a failed build, a restart. */
  onNotice: (text: string) => void;
  /** Receives the error that ended the Worker after it had started. */
  onFailure: (error: unknown) => void;
}

export interface Engine {
  /** Without a trailing slash. */
  url: string;
  close(): Promise<void>;
}

/** An editor may save several files at once. */
const SETTLE_MS = 100;

/** Runs the Worker, and opens its port once it is prepared. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { entrypoint, watch, prepare, onOpen, onNotice, onFailure } = options;
  const worker = await readWranglerConfig(options.config);
  const runtime = await createRuntime(options, worker);
  let { port } = options;
  let isPrepared = false;

  async function open(bundle: Bundle): Promise<string> {
    let url: string | undefined;
    if (bundle.ok && !isPrepared) {
      url = await runtime.run(bundle, 0);
      await prepare(url);
      isPrepared = true;
    }
    // Nobody knows the free port yet, so the Worker may keep it.
    if (url === undefined || port !== 0) url = await runtime.run(bundle, port);
    port = Number(new URL(url).port);
    await onOpen(url);
    return url;
  }

  /** Serves the reason instead of a Worker that cannot be built or does not start. */
  async function openOrExplain(bundle: Bundle): Promise<string> {
    if (!bundle.ok) onNotice(`The Worker cannot be built, so nothing is served:\n${bundle.reason}`);
    try {
      return await open(bundle);
    } catch (error) {
      if (!isStartFailure(error)) throw error;
      onNotice(`The Worker does not start, so nothing is served: ${error.message}`);
      return open({ ok: false, reason: error.message });
    }
  }

  const stops = [() => runtime.close()];
  const close = async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  };
  try {
    if (!watch) {
      const url = await open({ ok: true, script: await bundleOnce(entrypoint, worker) });
      return { url, close };
    }
    let latest: Bundle | undefined;
    let isStarted = false;
    const started = Promise.withResolvers<string>();
    let last = Promise.resolve();
    const openLatest = () => {
      last = openAfter(last);
    };
    async function openAfter(before: Promise<void>): Promise<void> {
      await before;
      if (latest === undefined || stops.length === 0) return;
      try {
        started.resolve(await openOrExplain(latest));
        isStarted = true;
      } catch (error) {
        if (isStarted) onFailure(error);
        else started.reject(error);
      }
    }
    const stopBuilding = await watchBundle(entrypoint, worker, (bundle) => {
      latest = bundle;
      openLatest();
    });
    stops.push(stopBuilding);
    const url = await started.promise;
    if (worker.options.assets !== undefined) {
      const watcher = watchFolder(worker.options.assets.directory, openLatest);
      stops.push(async () => watcher.close());
    }
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function watchFolder(folder: string, onChange: () => void): FSWatcher {
  let timer: NodeJS.Timeout | undefined;
  return watchFiles(folder, { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(onChange, SETTLE_MS);
  });
}
