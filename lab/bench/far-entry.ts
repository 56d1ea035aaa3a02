import { writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { ROOT } from "../../cli/wrangler.ts";

/** Milliseconds of a trip there and back to a database, a Durable Object and a KV namespace. */
export interface Delays {
  d1: number;
  object: number;
  kv: number;
}
export const NO_DELAY: Delays = { d1: 0, object: 0, kv: 0 };

const FAR = join(ROOT, "lab/bench/worker/far/far.ts");

/**
 * Writes an entry file beside a bundle's own. It serves the same Worker and the same objects with bindings that
 * are far away. Returns its path.
 */
export async function writeFarEntry(bundlePath: string, objects: readonly string[]): Promise<string> {
  const classes = objects.map(
    (name) => `export class ${name} extends worker.${name} {
      constructor(ctx, env) { super(ctx, farEnv(env)); }
    }`,
  );
  const contents = `
    import * as worker from "./${basename(bundlePath)}";
    import { farEnv, setDelays } from ${JSON.stringify(FAR)};
    export default {
      fetch: (request, env, ctx) => setDelays(request) ?? worker.default.fetch(request, farEnv(env), ctx),
    };
    ${classes.join("\n")}`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: dirname(bundlePath), loader: "js" },
    external: [`./${basename(bundlePath)}`],
    bundle: true,
    format: "esm",
    write: false,
  });
  const path = join(dirname(bundlePath), "far-entry.js");
  await writeFile(path, outputFiles[0]?.text ?? "");
  return path;
}

export async function setDelays(url: string, { d1, object, kv }: Delays): Promise<void> {
  const response = await fetch(`${url}/bench-delays?d1=${d1}&object=${object}&kv=${kv}`);
  if (!response.ok) throw new Error(`The delays can't be set: ${response.status}`);
  await response.text();
}
