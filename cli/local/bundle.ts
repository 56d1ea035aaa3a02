import { builtinModules } from "node:module";
import { type BuildOptions, type Message, build, context, stop } from "esbuild";
import type { LocalWorker } from "./wrangler-config.ts";

/** A Worker as one ES module, or the build errors: one line each, with file and position. */
export type Bundle = { ok: true; script: string } | { ok: false; reason: string };

/** Builds a Worker's entry file. Throws an Error whose message lists the build errors. */
export async function bundleOnce(entrypoint: string, worker: LocalWorker): Promise<string> {
  const { outputFiles } = await build(optionsFor(entrypoint, worker));
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`${entrypoint} produced no bundle.`);
  return output.text;
}

/**
 * Builds a Worker's entry file now and after each change of a file that it imports, and calls `onBundle` with
 * each result that differs from the previous one. Returns a function that stops it.
 */
export async function watchBundle(
  entrypoint: string,
  worker: LocalWorker,
  onBundle: (bundle: Bundle) => void,
): Promise<() => Promise<void>> {
  // esbuild's process ends by itself when its pipes close, but not if it waits for the answer to a ping just then.
  process.once("exit", () => void stop());
  let last = "";
  const watcher = await context({
    ...optionsFor(entrypoint, worker),
    plugins: [
      {
        name: "report",
        setup(builder) {
          builder.onEnd(({ errors, outputFiles: [output] = [] }) => {
            const bundle: Bundle =
              errors.length === 0 && output !== undefined
                ? { ok: true, script: output.text }
                : { ok: false, reason: errors.map(errorLine).join("\n") };
            const content = JSON.stringify(bundle);
            if (content === last) return;
            last = content;
            onBundle(bundle);
          });
        },
      },
    ],
  });
  await watcher.watch();
  return () => watcher.dispose();
}

function errorLine({ text, location }: Message): string {
  return location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`;
}

function optionsFor(entrypoint: string, { keepNames, alias }: LocalWorker) {
  return {
    entryPoints: [entrypoint],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    platform: "browser",
    // The same conditions as wrangler's.
    conditions: ["workerd", "worker", "browser"],
    define: { "navigator.userAgent": '"Cloudflare-Workers"' },
    keepNames,
    alias,
    external: ["cloudflare:*", "node:*", ...builtinModules],
    logLevel: "silent",
  } satisfies BuildOptions;
}
