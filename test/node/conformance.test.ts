import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectedSchema, judge } from "../../lab/conformance/judge.ts";
import { type Check, REVISIONS, requiredScenarios, runSuite } from "../../lab/conformance/suite.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";

let folder: string;
let server: LocalServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-conformance-"));
  server = await startServer({ stateDir: join(folder, "state"), vars: { LOCAL_ANONYMOUS: "off" } });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

// npm run conformance does not run this one, because it is not a scenario of an MCP server.
it("passes the official suite's authorization-server-metadata-endpoint", async () => {
  const scenario = "authorization-server-metadata-endpoint";
  const args = ["authorization", "--url", server.url, "--scenario", scenario];
  const checks = [...(await runSuite(args, join(folder, "results"))).values()].flat();
  expect(checks.length).toBeGreaterThan(0);
  expect(checks.filter(({ status }) => status !== "SUCCESS")).toEqual([]);
});

describe("a run of the suite, where", () => {
  const check = (status: string, id = "first"): Check => ({ id, status, description: "Says so" });
  const passes = [check("SUCCESS"), check("WARNING"), check("SKIPPED")];
  const fails = [check("SUCCESS"), check("FAILURE", "second")];
  const reason = "a reason of some length";
  const nothing = { also: {}, baseline: {}, notApplicable: {} };
  const required = ["a", "b"];

  it("everything passes, has no problems", () => {
    expect(judge(required, nothing, new Map(Object.entries({ a: passes, b: passes })))).toEqual({
      passed: 2,
      total: 2,
      baselined: [],
      notApplicable: [],
      problems: [],
    });
  });

  it.each([
    ["a scenario fails", nothing, { a: passes, b: fails }, "b: second: Says so"],
    ["a scenario did not run", nothing, { a: passes }, "b: did not run"],
    ["a scenario checked nothing", nothing, { a: passes, b: [] }, "b: did not run"],
    [
      "one of the baseline passes",
      { ...nothing, baseline: { b: reason } },
      { a: passes, b: passes },
      "b: passes now; take it off the baseline",
    ],
    [
      "a check of the baseline passes",
      { ...nothing, baseline: { "b:second": reason } },
      { a: passes, b: passes },
      "b:second: passes now; take it off the baseline",
    ],
    [
      "a check beside one of the baseline fails",
      { ...nothing, baseline: { "b:second": reason } },
      { a: passes, b: [...fails, check("FAILURE", "third")] },
      "b: third: Says so",
    ],
    [
      "one of the baseline is not required",
      { ...nothing, baseline: { c: reason } },
      { a: passes, b: passes },
      "c: listed, but the suite does not require it",
    ],
    [
      "a scenario that must pass beside the required ones fails",
      { ...nothing, also: { c: reason } },
      { a: passes, b: passes, c: fails },
      "c: second: Says so",
    ],
  ])("%s", (_, expected, ran, problem) => {
    expect(judge(required, expected, new Map(Object.entries(ran))).problems).toContain(problem);
  });
});

it("excuses only required scenarios, in the expected number", async () => {
  const file: unknown = JSON.parse(await readFile("test/conformance/expected.json", "utf8"));
  const { fixtures } = expectedSchema.parse(file);
  const counts = REVISIONS.map(async (revision) => [
    (await requiredScenarios(revision)).length,
    Object.keys(fixtures[revision].baseline).length,
  ]);
  expect(await Promise.all(counts)).toEqual([
    [37, 0],
    [30, 4],
  ]);
});
