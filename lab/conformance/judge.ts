import * as z from "zod";
import type { Check, Checks } from "./suite.ts";

/** Reasons by name. */
const reasons = z.record(z.string(), z.string().min(10));
const expectationSchema = z.strictObject({
  /** Scenarios that must pass beside the required ones. */
  also: reasons.default({}),
  /**
   * Scenarios, and single checks as `scenario:check`, that are known to fail. An entry that passes is stale.
   */
  baseline: reasons.default({}),
  /** Scenarios for features that this server lacks: a reason, and the scenarios it covers. */
  notApplicable: z.record(z.string(), z.array(z.string())).default({}),
});
type Expectation = z.output<typeof expectationSchema>;
const bothRevisions = z.strictObject({ "2026-07-28": expectationSchema, "2025-11-25": expectationSchema });

/** test/conformance/expected.json: the results of both endpoints that differ from passing. */
export const expectedSchema = z.strictObject({
  about: z.array(z.string()),
  fixtures: bothRevisions,
  product: bothRevisions,
});

export interface Verdict {
  /** Number of scenarios that had to pass and did. */
  passed: number;
  total: number;
  /** Required scenarios that are excused with a reason. */
  baselined: string[];
  notApplicable: string[];
  problems: string[];
}

const failing = (checks: readonly Check[]): Check[] => checks.filter(({ status }) => status === "FAILURE");

/** Compares the results with the required and the expected scenarios. */
export function judge(required: readonly string[], expected: Expectation, ran: Checks): Verdict {
  const known = [...required, ...Object.keys(expected.also)];
  const excused = Object.keys(expected.baseline).filter((name) => !name.includes(":"));
  const notApplicable = Object.values(expected.notApplicable).flat();
  const asked = known.filter((name) => !excused.includes(name) && !notApplicable.includes(name));

  const stray = [...excused, ...notApplicable, ...Object.keys(expected.baseline).map(scenarioOf)].filter(
    (name) => !known.includes(name),
  );
  const problems = [...new Set(stray)].map((name) => `${name}: listed, but the suite does not require it`);

  for (const name of excused) {
    const checks = ran.get(name);
    if (checks === undefined) problems.push(`${name}: did not run`);
    else if (failing(checks).length === 0) problems.push(`${name}: passes now; take it off the baseline`);
  }
  let passed = 0;
  for (const name of asked) {
    const found = problemsOf(name, ran.get(name), expected.baseline);
    if (found.length === 0) passed++;
    problems.push(...found);
  }
  return { passed, total: asked.length, baselined: excused, notApplicable, problems };
}

function problemsOf(
  name: string,
  checks: readonly Check[] | undefined,
  baseline: Record<string, string>,
): string[] {
  if (checks === undefined || checks.length === 0) return [`${name}: did not run`];
  const isExcused = ({ id }: Check) => Object.hasOwn(baseline, `${name}:${id}`);
  const stale = Object.keys(baseline)
    .filter((key) => key.includes(":") && scenarioOf(key) === name)
    .filter((key) => !failing(checks).some(({ id }) => key === `${name}:${id}`));
  return [
    ...failing(checks)
      .filter((check) => !isExcused(check))
      .map(({ id, description, errorMessage }) => `${name}: ${id}: ${errorMessage ?? description}`),
    ...stale.map((key) => `${key}: passes now; take it off the baseline`),
  ];
}

const scenarioOf = (key: string): string => key.split(":")[0] ?? "";
