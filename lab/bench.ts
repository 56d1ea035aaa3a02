// lab bench: the cost of a tool call, layer by layer, compared with common starting points.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Option } from "commander";
import { positiveNumber, wholeNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { generateProducts } from "../cli/sample/generate.ts";
import { type Measured, WARM_UP_CALLS, measure } from "./bench/measure.ts";
import { summarize, toTable } from "./bench/report.ts";
import { type Build, type Bundle, bundle } from "./bench/runtime.ts";
import { VARIANTS, type VariantName, variants } from "./bench/variants.ts";
import { queryStream, seed } from "./bench/workload.ts";
import { readProducts } from "./eval/read-data.ts";

const GENERATED = 20_000;
const CALLERS = 200;

const options = commandOf("lab bench")
  .description(
    "Measure bare Hono (hello), a bare search route (route), our tool without keys and guard (unguarded), the " +
      "product without telemetry (quiet), with the MCP SDK's own handler (sdk) and as it is deployed (full), " +
      "and a plain McpAgent server (mcpagent): bundles of `wrangler deploy --dry-run` in workerd, in turns, " +
      "on queries that don't repeat.",
  )
  .option("--products <file>", "products as JSONL, gzipped or not (default: 20,000 generated ones)")
  .addOption(new Option("--variants <names...>", "variants to measure").choices(VARIANTS))
  .option("--starts <number>", "how many times to start all Workers", positiveNumber, 4)
  .option("--rounds <number>", "rounds after each start; each measures every variant once", positiveNumber, 4)
  .option("--seconds <number>", "seconds of load per variant and round", positiveNumber, 1)
  .option("--warm-up <calls>", "calls to each variant before it is measured", wholeNumber, WARM_UP_CALLS)
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
    warmUp: number;
    folder: string;
    json?: boolean;
    check?: boolean;
  }>();

const say = (text: string) => console.error(text);
if (process.platform !== "linux")
  throw new Error("The benchmark runs on Linux only: it reads workerd's processor time from /proc.");
const products =
  options.products === undefined ? [...generateProducts(GENERATED, 1)] : await readProducts(options.products);

// 20,000 products are in memory several times over; remove them at the end.
mkdirSync(options.folder, { recursive: true });
const root = mkdtempSync(join(options.folder, "catalog-bench-"));
process.once("exit", () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const measured: Measured = new Map((options.variants ?? VARIANTS).map((name) => [name, []]));
say("Bundling");
const bundles = new Map<Build, Bundle>();
for (const { build } of [...measured.keys()].map((name) => variants[name]))
  if (!bundles.has(build)) bundles.set(build, await bundle(build, join(root, `bundle-${bundles.size}`)));
say(`Importing ${products.length.toLocaleString("en")} products`);
const seeded = join(root, "seed");
const keys = await seed(seeded, products, CALLERS);
const names = products.map(({ name }) => name);
for (let start = 1; start <= options.starts; start++) {
  const folder = join(root, "state");
  await mkdir(folder);
  const { rounds, seconds, warmUp, starts } = options;
  const onProgress = (text: string) => say(`start ${start} of ${starts}: ${text}`);
  const newQueries = () => queryStream(names);
  await measure({ seeded, folder, bundles, keys, rounds, seconds, warmUp, newQueries, measured, onProgress });
  await rm(folder, { recursive: true });
}

const report = summarize(measured);
console.log(options.json === true ? JSON.stringify(report) : toTable(report));
const missed = report.targets.filter(({ met }) => !met);
for (const { name, ratio, atLeast } of missed)
  say(`${name} is ${ratio.median.toFixed(2)}, below its target of ${atLeast}.`);
if (options.check === true && missed.length > 0) process.exitCode = 1;
