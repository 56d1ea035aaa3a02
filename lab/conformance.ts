// lab conformance: runs the official suite's server scenarios against the fixtures that it requires,
// behind the product's own wiring, and the applicable ones against the product itself.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { commandOf } from "../cli/command.ts";
import { expectedSchema, judge } from "./conformance/judge.ts";
import { REVISIONS, requiredScenarios, runSuite } from "./conformance/suite.ts";
import { withFreshServer } from "./support/fresh-server.ts";

const EXPECTED_FILE = "test/conformance/expected.json";
const ENDPOINTS = [
  ["fixtures", "/mcp/conformance"],
  ["product", "/mcp"],
] as const;

commandOf("lab conformance")
  .description(
    `Run the official MCP conformance suite in the real runtime: all server scenarios against the fixtures that it requires, served with the product's wiring, and the applicable ones against the product.\n${EXPECTED_FILE} lists what is excused, and why. Exits with 1 if another scenario fails, or an excused one passes.`,
  )
  .parse();

const expected = expectedSchema.parse(JSON.parse(await readFile(EXPECTED_FILE, "utf8")));
const runs = await withFreshServer(
  async ({ url }, folder) => {
    const done = [];
    for (const [endpoint, path] of ENDPOINTS) {
      console.error(`Running the suite against the ${endpoint}...`);
      const both = REVISIONS.map(async (revision) => {
        const args = ["server", "--url", `${url}${path}`, "--requirements", revision];
        const ran = await runSuite(args, join(folder, `${endpoint}-${revision}`));
        const verdict = judge(await requiredScenarios(revision), expected[endpoint][revision], ran);
        return { endpoint, revision, ...verdict };
      });
      done.push(...(await Promise.all(both)));
    }
    return done;
  },
  { entrypoint: "test/conformance/worker.ts", onLog: () => {} },
);

for (const { endpoint, revision, problems } of runs)
  for (const problem of problems) console.log(`${endpoint} ${revision}: ${problem}`);
for (const { endpoint, revision, passed, total, baselined, notApplicable } of runs) {
  const excused =
    baselined.length > 0 ? `; ${baselined.length} more required and baselined: ${baselined.join(", ")}` : "";
  const others = notApplicable.length > 0 ? `; ${notApplicable.length} that do not apply` : "";
  console.log(`${endpoint} ${revision}: ${passed}/${total}${excused}${others}`);
}
const counts = runs
  .filter(({ endpoint }) => endpoint === "fixtures")
  .map(({ revision, passed, total }) => `${revision} ${passed}/${total}`);
console.log(`conformance: ${counts.join(", ")}`);
process.exitCode = runs.every(({ problems }) => problems.length === 0) ? 0 : 1;
