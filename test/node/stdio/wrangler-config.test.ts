import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { unstable_getMiniflareWorkerOptions as readAsWrangler } from "wrangler";
import { readWranglerConfig } from "../../../cli/local/wrangler-config.ts";

it("reads the same of wrangler.toml as wrangler", async () => {
  const { options } = await readWranglerConfig("wrangler.toml");
  const { workerOptions } = readAsWrangler("wrangler.toml");
  const { name, bindings, ...rest } = options;
  expect(name).toBe("product-catalog-mcp");
  expect(workerOptions).toMatchObject(rest);
  // wrangler adds the variables of .dev.vars.
  expect(workerOptions.bindings).toMatchObject(bindings);
  const bound = Object.entries(workerOptions).filter(
    ([, value]) => typeof value === "object" && value !== null && Object.keys(value).length > 0,
  );
  const others = new Set(["modulesRules", "email", "bindings"]);
  expect(bound.map(([key]) => key).filter((key) => !(key in rest) && !others.has(key))).toEqual([]);
});

it("reads a bucket as wrangler does", async () => {
  const folder = await mkdtemp(join(tmpdir(), "catalog-config-test-"));
  const path = join(folder, "wrangler.toml");
  const text = await readFile("wrangler.toml", "utf8");
  const bucket = text.replace("# [[r2_buckets]]\n# binding", "[[r2_buckets]]\nbinding");
  await writeFile(path, bucket);
  const { options } = await readWranglerConfig(path);
  expect(options.r2Buckets).toEqual({ FEED_FILES: { id: "FEED_FILES" } });
  expect(readAsWrangler(path).workerOptions).toMatchObject({ r2Buckets: options.r2Buckets });
  await rm(folder, { recursive: true });
});

it("an unknown key is an error that names it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "catalog-config-test-"));
  const path = join(folder, "wrangler.toml");
  await writeFile(path, 'name = "x"\ncompatibility_date = "2026-10-20"\n[[queues]]\nbinding = "B"\n');
  await expect(readWranglerConfig(path)).rejects.toThrow(/queues/);
  await rm(folder, { recursive: true });
});
