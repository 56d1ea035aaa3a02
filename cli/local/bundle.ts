import { builtinModules } from "node:module";
import { type BuildOptions, type Message, build, context } from "esbuild";
import type { LocalWorker } from "./wrangler-config.ts";

/** A Worker as one ES module, or why it could not be built: a line for each error, with its file and place. */
export type Bundle = { ok: true; script: string } | { ok: false; reason: string };

/** Builds a Worker's entry file; throws an Error whose message is the reason. */
export async function bundleOnce(entrypoint: string, worker: LocalWorker): Promise<string> {
  const { outputFiles } = await build(optionsFor(entrypoint, worker));
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`${entrypoint} makes no bundle.`);
  return output.text;
}

/**
 * Builds a Worker's entry file now and whenever a file that it imports changes, and gives `onBundle` each result that
 * differs from the one before. Returns the function that stops it.
 */
export async function watchBundle(
  entrypoint: string,
  worker: LocalWorker,
  onBundle: (bundle: Bundle) => void,
): Promise<() => Promise<void>> {
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

function optionsFor(entrypoint: string, { text, keepNames }: LocalWorker) {
  return {
    entryPoints: [entrypoint],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    platform: "browser",
    // As wrangler has them.
    conditions: ["workerd", "worker", "browser"],
    define: { "navigator.userAgent": '"Cloudflare-Workers"' },
    keepNames,
    external: ["cloudflare:*", "node:*", ...builtinModules],
    loader: Object.fromEntries(text.map((extension) => [extension, "text"] as const)),
    logLevel: "silent",
  } satisfies BuildOptions;
}
