import type { Engine, EngineOptions } from "./engine.ts";

/** Runs the Worker in wrangler's dev server, which starts it anew whenever a file changes. Slow to start. */
export async function startWrangler(options: EngineOptions): Promise<Engine> {
  const { config, entrypoint, stateDir, host, port, vars, onLog } = options;
  const { unstable_startWorker: startWorker } = await import("wrangler");
  const plainText = ([name, value]: [string, string]) => [name, { type: "plain_text", value }] as const;
  const worker = await startWorker({
    config,
    entrypoint,
    bindings: Object.fromEntries(Object.entries(vars).map(plainText)),
    dev: {
      remote: false,
      server: { hostname: host, port },
      inspector: false,
      watch: true,
      logLevel: "error",
      persist: stateDir,
      ...(onLog && { structuredLogsHandler: ({ message }: { message: string }) => onLog(message) }),
    },
  });
  try {
    await worker.ready;
    return { url: (await worker.url).origin, close: () => worker.dispose() };
  } catch (error) {
    // The runtime would keep this process alive.
    await worker.dispose();
    throw error;
  }
}
