// lab conformance: runs the official suite's server scenarios against the fixtures that it requires,
// behind the product's own wiring, and the applicable ones against the product itself.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandOf } from "../cli/command.ts";
import { type Verdict, expectedSchema, judge } from "./conformance/judge.ts";
import { REVISIONS, type Revision, requiredScenarios, runSuite } from "./conformance/suite.ts";
import { startServer } from "../cli/local/server.ts";

const EXPECTED_FILE = "test/conformance/expected.json";
const ENDPOINTS = { fixtures: "/mcp/conformance", product: "/mcp" } as const;
type Endpoint = keyof typeof ENDPOINTS;

const program = commandOf("lab conformance")
  .description(
    `Run the official MCP conformance suite in the real runtime: all server scenarios against the fixtures that it requires, served with the product's wiring, and the applicable ones against the product.\n${EXPECTED_FILE} lists what is excused, and why. Exits with 1 if another scenario fails, or an excused one passes.`,
  )
  .option("--json", "print JSON")
  .parse();
const { json = false } = program.opts<{ json?: boolean }>();

const expected = expectedSchema.parse(JSON.parse(await readFile(EXPECTED_FILE, "utf8")));
const folder = await mkdtemp(join(tmpdir(), "catalog-conformance-"));
try {
  const verdicts = await runAll();
  const all = verdicts.flatMap(({ verdict }) => verdict.problems);
  if (json) console.log(JSON.stringify({ ok: all.length === 0, runs: verdicts }));
  else print(verdicts);
  process.exitCode = all.length === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true });
}

interface Run {
  endpoint: Endpoint;
  revision: Revision;
  verdict: Verdict;
}

async function runAll(): Promise<Run[]> {
  console.error("Starting the Worker...");
  const server = await startServer({
    stateDir: join(folder, "state"),
    entrypoint: "test/conformance/worker.ts",
    onLog: () => {},
  });
  const verdicts: Run[] = [];
  try {
    for (const endpoint of ["fixtures", "product"] as const) {
      console.error(
        `Running the suite against ${endpoint === "fixtures" ? "its fixtures" : "the product"}...`,
      );
      const url = `${server.url}${ENDPOINTS[endpoint]}`;
      verdicts.push(...(await Promise.all(REVISIONS.map((revision) => run(endpoint, url, revision)))));
    }
  } finally {
    await server.close();
  }
  return verdicts;
}

async function run(endpoint: Endpoint, url: string, revision: Revision): Promise<Run> {
  const results = join(folder, `${endpoint}-${revision}`);
  const ran = await runSuite(["server", "--url", url, "--requirements", revision], results);
  const verdict = judge(await requiredScenarios(revision), expected[endpoint][revision], ran);
  return { endpoint, revision, verdict };
}

function print(runs: Run[]): void {
  for (const { endpoint, revision, verdict } of runs)
    for (const problem of verdict.problems) console.log(`${endpoint} ${revision}: ${problem}`);
  for (const { endpoint, revision, verdict } of runs) {
    const { passed, total, baselined, notApplicable } = verdict;
    const left = [
      ...(baselined.length > 0
        ? [`${baselined.length} more required and baselined: ${baselined.join(", ")}`]
        : []),
      ...(notApplicable.length > 0 ? [`${notApplicable.length} that do not apply`] : []),
    ];
    console.log([`${endpoint} ${revision}: ${passed}/${total}`, ...left].join("; "));
  }
  const counts = runs
    .filter(({ endpoint }) => endpoint === "fixtures")
    .map(({ revision, verdict: { passed, total } }) => `${revision} ${passed}/${total}`);
  console.log(`conformance: ${counts.join(", ")}`);
}
