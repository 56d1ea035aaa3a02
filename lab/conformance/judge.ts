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

/** Compares the results with the required and the expected scenarios. */
export function judge(required: readonly string[], expected: Expectation, ran: Checks): Verdict {
  const known = [...required, ...Object.keys(expected.also)];
  const notApplicable = Object.values(expected.notApplicable).flat();
  const entries = Object.keys(expected.baseline);
  const baselined = entries.filter((entry) => !entry.includes(":"));
  const listed = new Set([...notApplicable, ...entries.map(scenarioOf)]);
  const problems = [...listed]
    .filter((name) => !known.includes(name))
    .map((name) => `${name}: listed, but the suite does not require it`);

  const applicable = known.filter((name) => !notApplicable.includes(name));
  const asked = applicable.filter((name) => !baselined.includes(name));
  const good = new Set(asked);
  for (const name of applicable) {
    const checks = ran.get(name) ?? [];
    const failing = checks.filter(({ status }) => status === "FAILURE");
    const isCovered = (entry: string, { id }: Check) => entry === name || entry === `${name}:${id}`;
    const own = entries.filter((entry) => scenarioOf(entry) === name);
    const unexpected = failing.filter((check) => !own.some((entry) => isCovered(entry, check)));
    const stale = own.filter((entry) => !failing.some((check) => isCovered(entry, check)));
    const found =
      checks.length === 0
        ? [`${name}: did not run`]
        : [
            ...unexpected.map(
              ({ id, description, errorMessage = description }) => `${name}: ${id}: ${errorMessage}`,
            ),
            ...stale.map((entry) => `${entry}: passes now; take it off the baseline`),
          ];
    if (found.length > 0) good.delete(name);
    problems.push(...found);
  }
  return { passed: good.size, total: asked.length, baselined, notApplicable, problems };
}

const scenarioOf = (entry: string): string => entry.split(":")[0] ?? "";
