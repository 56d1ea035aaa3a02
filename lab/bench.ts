// lab bench: the cost of a tool call, layer by layer, compared with common starting points.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Option } from "commander";
import { positiveNumber, wholeNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { generateProducts } from "../cli/sample/generate.ts";
import { type Measured, WARM_UP_CALLS, measure } from "./bench/measure.ts";
import { briefly, summarize, toFarTable, toTable } from "./bench/report.ts";
import { type Build, type Bundle, bundle } from "./bench/runtime.ts";
import { countTrips } from "./bench/trips.ts";
import { FAR, NEAR, VARIANTS, type VariantName, variants } from "./bench/variants.ts";
import { queryStream, seed } from "./bench/workload.ts";
import { readProducts } from "./eval/read-data.ts";

const GENERATED = 20_000;

const options = commandOf("lab bench")
  .description(
    "Measure bare Hono (hello), a bare search route (route), our tool without keys and guard (unguarded), the " +
      "product without telemetry (quiet), with the MCP SDK's own handler (sdk) and as it is deployed (full), " +
      "and a plain McpAgent server (mcpagent): bundles of `wrangler deploy --dry-run` in workerd, in turns, " +
      "on queries that don't repeat. With --far, every trip to D1, a Durable Object or KV takes as long as it would " +
      "over a network, and full is also measured by OAuth token (oauth), for a read of the support desk (support) and " +
      "for a caller's first call (first).",
  )
  .option("--products <file>", "products as JSONL, gzipped or not (default: 20,000 generated ones)")
  .addOption(new Option("--variants <names...>", "variants to measure").choices(VARIANTS))
  .option("--starts <number>", "how many times to start all Workers", positiveNumber, 4)
  .option("--rounds <number>", "rounds after each start; each measures every variant once", positiveNumber, 4)
  .option("--seconds <number>", "seconds of load per variant and round", positiveNumber, 1)
  .option("--callers <number>", "callers who take turns, at least 3", wholeNumber, 200)
  .option("--warm-up <calls>", "calls to each variant before it is measured", wholeNumber, WARM_UP_CALLS)
  .option("--far", "add network time to every trip to D1, an object or KV")
  .option("--d1 <ms>", "network time of a trip to D1, with --far", positiveNumber, 30)
  .option("--object <ms>", "network time of a trip to a Durable Object, with --far", positiveNumber, 15)
  .option("--kv <ms>", "network time of a trip to KV, with --far", positiveNumber, 15)
  .option("--folder <folder>", "where the databases are stored, by default in memory", "/dev/shm")
  .option("--json", "print JSON")
  .option("--check", "exit with 1 if the full path misses a target")
  .parse()
  .opts<{
    products?: string;
    variants?: VariantName[];
    starts: number;
    rounds: number;
    seconds: number;
    callers: number;
    warmUp: number;
    far?: boolean;
    d1: number;
    object: number;
    kv: number;
    folder: string;
    json?: boolean;
    check?: boolean;
  }>();

const isFar = options.far === true;
const say = (text: string) => console.error(text);
if (process.platform !== "linux")
  throw new Error("The benchmark runs on Linux only: it reads workerd's processor time from /proc.");
const products =
  options.products === undefined ? [...generateProducts(GENERATED, 1)] : await readProducts(options.products);

// 20,000 products are in memory several times over; remove them at the end.
mkdirSync(options.folder, { recursive: true });
const root = mkdtempSync(join(resolve(options.folder), "catalog-bench-"));
process.once("exit", () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const measured: Measured = new Map((options.variants ?? (isFar ? FAR : NEAR)).map((name) => [name, []]));
say("Bundling");
const bundles = new Map<Build, Bundle>();
for (const { build } of [...measured.keys()].map((name) => variants[name]))
  if (!bundles.has(build)) bundles.set(build, await bundle(build, join(root, `bundle-${bundles.size}`)));
say(`Importing ${products.length.toLocaleString("en")} products`);
const seeded = join(root, "seed");
const keys = await seed(seeded, products, options.callers);
const names = products.map(({ name }) => name);
const common = { seeded, bundles, keys, measured, newQueries: () => queryStream(names) };
for (let start = 1; start <= options.starts; start++) {
  const folder = join(root, "state");
  await mkdir(folder);
  const { rounds, seconds, warmUp, starts, d1, object, kv } = options;
  const delays = isFar ? { d1, object, kv } : undefined;
  const onProgress = (text: string) => say(`start ${start} of ${starts}: ${text}`);
  await measure({ ...common, folder, delays, rounds, seconds, warmUp, onProgress });
  await rm(folder, { recursive: true });
}
const trips = await countTrips({ ...common, folder: join(root, "trips"), onProgress: say });

const report = summarize(measured, trips, isFar);
if (options.json === true) {
  console.log(JSON.stringify(report));
  console.log(JSON.stringify(briefly(report)));
} else console.log(isFar ? toFarTable(report) : toTable(report));
for (const sentence of report.missed) say(sentence);
if (options.check === true && report.missed.length > 0) process.exitCode = 1;
