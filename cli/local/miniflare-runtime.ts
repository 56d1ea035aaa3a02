import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Miniflare } from "miniflare";
import { type Bundle, bundleOnce } from "./bundle.ts";
import { readDevVars } from "./dev-vars.ts";
import type { EngineOptions } from "./engine.ts";
import type { LocalWorker } from "./wrangler-config.ts";

const NOT_BUILT = fileURLToPath(new URL("../../src/local/not-built.ts", import.meta.url));
const NOT_STARTED = "ERR_RUNTIME_FAILURE";

/**
 * Flags of V8, in megabytes for each isolate. A request leaves 40 KB of native memory behind that only a collection of the old objects
 * frees. By default V8 begins these collections when an isolate has hundreds of megabytes, and a server held 1.2 GB after 48,000
 * requests; so it holds 0.4. Miniflare passes them on from its variable; they change no answer and cost no measurable time.
 */
const V8_FLAGS = "--initial-old-space-size=8 --max-semi-space-size=2";

export interface Runtime {
  /**
   * Replaces the running bundle, or the page that stands in for it; returns the URL. Throws if workerd does
   * not start.
   */
  run(bundle: Bundle, port: number): Promise<string>;
  close(): Promise<void>;
}

/**
 * Runs workerd with the Worker's bindings on the same state that wrangler uses. A killed workerd process is
 * restarted.
 */
export async function createRuntime(options: EngineOptions, worker: LocalWorker): Promise<Runtime> {
  const { config, stateDir, host, vars, onLog, onNotice, onFailure } = options;
  const [devVars, { Log, LogLevel, Miniflare: MiniflareClass, convertV4MiniflareOptions }] =
    await Promise.all([
      readDevVars(dirname(config)),
      // Loaded here, because a command that finds a running server needs neither.
      import("miniflare"),
    ]);
  process.env["MINIFLARE_WORKERD_V8_FLAGS"] ??= V8_FLAGS;
  class ErrorLog extends Log {
    // Standard output belongs to the command.
    protected override log(message: string) {
      console.error(message);
    }
    override error(error: Error) {
      super.error(error);
      // Miniflare reports only here that a runtime could not be restarted.
      if (isStartFailure(error)) onFailure(error);
    }
  }
  const log = new ErrorLog(LogLevel.ERROR);
  const shared = {
    host,
    cf: false,
    log,
    handleStructuredLogs: ({ level, message }: { level: string; message: string }) => {
      if (onLog !== undefined) onLog(message);
      else if (level === "error") console.error(message);
    },
    unsafeHandleRuntimeRestart: () => onNotice("The Workers runtime ended unexpectedly and was restarted."),
  };

  function settingsOf(script: string, port: number) {
    return convertV4MiniflareOptions({
      ...shared,
      ...worker.options,
      port,
      bindings: { ...worker.options.bindings, ...devVars, ...vars },
      modules: [{ type: "ESModule", path: "worker.js", contents: script }],
      resourcePersistencePath: join(stateDir, "v3"),
    });
  }

  /** Without Durable Objects: their alarms must wait until their code is back. */
  async function standIn(reason: string, port: number) {
    const { name, compatibilityDate, compatibilityFlags } = worker.options;
    return convertV4MiniflareOptions({
      ...shared,
      name,
      compatibilityDate,
      compatibilityFlags,
      port,
      bindings: { ...vars, REASON: reason },
      modules: [{ type: "ESModule", path: "worker.js", contents: await bundleOnce(NOT_BUILT, worker) }],
    });
  }

  let miniflare: Miniflare | undefined;
  return {
    async run(bundle, port) {
      const settings = bundle.ok ? settingsOf(bundle.script, port) : await standIn(bundle.reason, port);
      try {
        if (miniflare === undefined) miniflare = new MiniflareClass(settings);
        else await miniflare.setOptions(settings);
        return (await miniflare.ready).origin;
      } catch (error) {
        // A failed instance would keep this process alive, and does not recover.
        await miniflare?.dispose();
        miniflare = undefined;
        throw error;
      }
    },
    async close() {
      await miniflare?.dispose();
    },
  };
}

/** Whether workerd failed to start, for example because a script throws while it loads. */
export const isStartFailure = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && error.code === NOT_STARTED;
