// lab bench: the cost of a tool call, layer by layer, compared with common starting points.

import { existsSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { Option } from "commander";
import { positiveNumber, wholeNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { type Measured, WARM_UP_CALLS, joined, measure } from "./bench/measure.ts";
import { queryStream } from "./bench/queries.ts";
import { type Report, summarize, toTable } from "./bench/report.ts";
import { type Bundle, bundle } from "./bench/runtime.ts";
import { VARIANTS, type VariantName, variants } from "./bench/variants.ts";
import { readProducts } from "./eval/products.ts";

const MEMORY = "/dev/shm";
const PRINCIPALS = 200;

const options = commandOf("lab bench")
  .description(
    "Measure bare Hono (hello), a bare search route (route), our tool without keys and guard (unguarded), the " +
      "product without telemetry (quiet), with the MCP SDK's own handler (sdk) and as it is deployed (full), " +
      "and a plain McpAgent server (mcpagent): bundles of `wrangler deploy --dry-run` in workerd, in turns, " +
      "on queries that don't repeat. Needs Linux's /dev/shm for state in memory.",
  )
  .option("--products <file>", "products as JSONL, gzipped or not (default: 20,000 generated ones)")
  .addOption(new Option("--variants <names...>", "variants to measure (default: all)").choices(VARIANTS))
  .option("--starts <number>", "how many times to start all Workers", positiveNumber, 4)
  .option("--rounds <number>", "rounds after each start; each measures every variant once", positiveNumber, 4)
  .option("--seconds <number>", "seconds of load per variant and round", positiveNumber, 1)
  .option("--warm-up <calls>", "calls to each variant before it is measured", wholeNumber, WARM_UP_CALLS)
  .addOption(
    new Option("--state <where>", "where the databases are stored")
      .choices(["memory", "disk", "both"])
      .default("memory"),
  )
  .option("--json", "print JSON")
  .option("--check", "exit with 1 if the full path misses a target with state in memory")
  .parse()
  .opts<{
    products?: string;
    variants?: VariantName[];
    starts: number;
    rounds: number;
    seconds: number;
    warmUp: number;
    state: "memory" | "disk" | "both";
    json?: boolean;
    check?: boolean;
  }>();

const say = (text: string) => console.error(text);
// Imported only now, because these read policy.json: the command can report that it is not JSON.
const { madeUpProducts, seed } = await import("./bench/seed.ts");
const places = options.state === "both" ? (["memory", "disk"] as const) : ([options.state] as const);
if (process.platform !== "linux") {
  say("The benchmark runs on Linux only: it reads workerd's processor time from /proc.");
  process.exit(1);
}
if (places.includes("memory") && !existsSync(MEMORY)) {
  say(`This system has no ${MEMORY}. Use --state disk.`);
  process.exit(1);
}
const roots: string[] = [];
// 20,000 products are in memory several times over; remove them at the end.
process.once("exit", () => {
  for (const root of roots) rmSync(root, { recursive: true, force: true, maxRetries: 5 });
});
for (const [signal, code] of [
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.once(signal, () => process.exit(code));

const reports = new Map<string, Report>();
for (const [place, measured] of await measureAll()) reports.set(place, summarize(measured));
print();

async function newRoot(place: "memory" | "disk"): Promise<string> {
  // Not the system's temporary folder, which may be in memory.
  const parent = place === "memory" ? MEMORY : ".wrangler";
  await mkdir(parent, { recursive: true });
  const root = await mkdtemp(join(parent, "catalog-bench-"));
  roots.push(root);
  return root;
}

async function measureAll(): Promise<[string, Measured][]> {
  const { products: file, variants: only = VARIANTS } = options;
  const products = file === undefined ? madeUpProducts() : await readProducts(file);
  const built = await mkdtemp(join(tmpdir(), "catalog-bench-"));
  roots.push(built);
  say("Bundling");
  const bundles = new Map<string, Bundle>();
  for (const name of only) {
    const { config } = variants[name];
    if (!bundles.has(config)) bundles.set(config, await bundle(config, join(built, String(bundles.size))));
  }
  say(`Importing ${products.length.toLocaleString("en")} products`);
  const seeded = join(built, "seed");
  const keys = await seed(seeded, products, PRINCIPALS);
  const names = products.map(({ name }) => name);

  const results: [string, Measured][] = [];
  for (const place of places) {
    say(`Measuring, state ${place === "memory" ? "in memory" : "on disk"}`);
    const runs: Measured[] = [];
    for (let start = 1; start <= options.starts; start++) {
      const folder = await newRoot(place);
      const { rounds, seconds, warmUp } = options;
      const onProgress = (text: string) => say(`start ${start} of ${options.starts}: ${text}`);
      const newQueries = () => queryStream(names);
      const load = { rounds, seconds, warmUp, only };
      runs.push(await measure({ seeded, folder, bundles, keys, ...load, newQueries, onProgress }));
      await rm(folder, { recursive: true, force: true });
    }
    results.push([place, joined(runs)]);
  }
  return results;
}

function print(): void {
  const [first] = reports.values();
  if (options.json === true) {
    console.log(JSON.stringify({ ...first, state: Object.fromEntries(reports) }));
  } else {
    for (const [place, report] of reports) {
      console.log(`state ${place === "memory" ? "in memory" : "on disk"}\n${toTable(report)}`);
    }
  }
  const missed = (reports.get("memory")?.targets ?? []).filter(({ met }) => !met);
  for (const { name, ratio, atLeast } of missed) {
    const text = `${name} is ${ratio.median.toFixed(2)}, below its target of ${atLeast}.`;
    say(styleText("red", text, { stream: process.stderr }));
  }
  if (options.check === true && missed.length > 0) process.exitCode = 1;
}
