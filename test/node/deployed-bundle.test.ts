import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { gzipSync } from "node:zlib";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { bundleOnce } from "../../cli/local/bundle.ts";
import { readWranglerConfig } from "../../cli/local/wrangler-config.ts";
import { wrangler } from "../../cli/wrangler.ts";
import { start, within } from "./support/processes.ts";

// The files that `wrangler deploy` uploads.

/** Bytes. A larger script takes longer to start in each location. */
const GZIP_MAX = 432 * 1024;

/** How many times longer than an empty Worker's its start may take, with the start of workerd in both. */
const START_MAX = 3.5;
/** Starts of each, and how many more a noisy machine gets. */
const ROUNDS = { least: 5, most: 15 };

let folder: string;
let uploaded: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-bundle-"));
  // A host whose own Node cannot run the build command of wrangler.toml.
  const host = join(folder, "host");
  await mkdir(host);
  await writeFile(join(host, "node"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  vi.stubEnv("PATH", `${host}${delimiter}${process.env["PATH"] ?? ""}`);
  const out = join(folder, "out");
  await wrangler(["deploy", "--dry-run", "--outdir", out]).finally(() => vi.unstubAllEnvs());
  uploaded = (await readdir(out)).filter((name) => !/\.(map|md)$/.test(name));
}, 180_000);
afterAll(() => rm(folder, { recursive: true }));

const read = (name: string) => readFile(join(folder, "out", name));

it("is small enough", async () => {
  const files = await Promise.all(uploaded.map(read));
  expect(gzipSync(Buffer.concat(files)).length).toBeLessThanOrEqual(GZIP_MAX);
});

it("starts within a few times of an empty Worker's time", async () => {
  const { options } = await readWranglerConfig("wrangler.toml");
  const script = (await read("index.js")).toString();
  const startMs = async (contents: string): Promise<number> => {
    const modules = [{ type: "ESModule" as const, path: "index.js", contents }];
    const began = performance.now();
    const worker = new Miniflare(
      convertV4MiniflareOptions({ ...options, durableObjects: {}, cf: false, modules }),
    );
    try {
      await (await fetch(`${(await worker.ready).origin}/healthz`)).text();
      return performance.now() - began;
    } finally {
      await worker.dispose();
    }
  };
  const nothing = "export default { fetch: () => new Response() };";
  // A busy machine only ever adds to a time, so the least of several is the one that says most. In turn, and with the same bindings.
  const least = { nothing: Infinity, script: Infinity };
  const ratio = () => least.script / least.nothing;
  for (let round = 0; round < ROUNDS.most && (round < ROUNDS.least || ratio() >= START_MAX); round++) {
    least.nothing = Math.min(least.nothing, await startMs(nothing));
    least.script = Math.min(least.script, await startMs(script));
  }
  console.error(`Start-up, as a ratio to an empty Worker: ${ratio().toFixed(2)}`);
  expect(ratio()).toBeLessThan(START_MAX);
}, 120_000);

it("holds no secret", async () => {
  const args = ["node_modules/secretlint/bin/secretlint.js", "--no-glob", join(folder, "out", "index.js")];
  expect(await within(60_000, start(process.execPath, args))).toEqual({ code: 0, stdout: "", stderr: "" });
});

it("holds neither the sample nor the endpoints of a developer's machine", async () => {
  const script = (await read("index.js")).toString();
  const local = await bundleOnce("src/local/worker.ts", await readWranglerConfig("wrangler.toml"));
  const endpoints = ["/__local/", "LOCAL_KEY", "LOOPBACK_AGENTS"];
  // Otherwise the names have changed, and their absence says nothing.
  expect(endpoints.filter((text) => local.includes(text))).toEqual(endpoints);
  const found = [...endpoints, "Demo shopper", "demo-keys"].filter((text) => script.includes(text));
  expect(found).toEqual([]);
});

it("logs stacks that its source map leads back to the source", async () => {
  const { options } = await readWranglerConfig("wrangler.toml");
  const logged: string[] = [];
  const worker = new Miniflare(
    convertV4MiniflareOptions({
      ...options,
      cf: false,
      handleStructuredLogs: ({ message }: { message: string }) => void logged.push(message),
      modules: await Promise.all(
        uploaded.map(async (path) => ({
          type: "ESModule" as const,
          path,
          contents: (await read(path)).toString(),
        })),
      ),
      // Without its database the sign-in page fails unexpectedly.
      d1Databases: {},
    }),
  );
  try {
    const { origin } = await worker.ready;
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    expect((await fetch(`${origin}/sign-in`)).status).toBe(500);
    await expect.poll(() => logged.join("\n")).toContain("internal_error");
  } finally {
    await worker.dispose();
  }
  const line = logged.find((each) => each.includes("internal_error")) ?? "";
  const map = new SourceMap(JSON.parse((await read("index.js.map")).toString()));
  const places = [...line.matchAll(/index\.js:(\d+):(\d+)/g)].map(([, row, column]) =>
    map.findOrigin(Number(row), Number(column)),
  );
  const sources = places.map((place) => ("fileName" in place ? place.fileName : ""));
  expect(sources.some((name) => name.endsWith("src/database/migrate.ts"))).toBe(true);
  const found = places.find((place) => "fileName" in place && place.fileName.endsWith("migrate.ts"));
  const source = (await readFile("src/database/migrate.ts", "utf8")).split("\n");
  const row = found !== undefined && "lineNumber" in found ? found.lineNumber : 0;
  expect(source[row - 1]).toContain("(db)");
});
