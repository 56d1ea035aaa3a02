import { DAY } from "../detection/window.ts";
import { logSurprise } from "../telemetry/log.ts";
import { listCallersWithHits } from "../caller/audit/anchors.ts";
import { CallerClient } from "../caller/caller-client.ts";
import { causeOf } from "../unreachable.ts";
import type { RuleHits } from "../caller/overview.ts";

/** How often a rule matched, and the calls of how many callers. */
export type RuleHitTotal = RuleHits & { callers: number };

export interface RuleHitReport {
  totals: RuleHitTotal[];
  /** Length of the period, in milliseconds. */
  periodMs: number;
  /** Callers at whose calls a rule matched in the period. */
  callers: number;
  /** How many of them had their audit read. */
  callersRead: number;
}

const PERIOD_MS = DAY;
/** Limits the report to so many objects, because each is called. */
const CALLERS_MAX = 50;

/** Adds up the rule hits of the callers that a rule matched last. Leaves out callers whose object can't be reached. */
export async function readRuleHits(env: Env, now: number): Promise<RuleHitReport> {
  const since = now - PERIOD_MS;
  const { principals, total } = await listCallersWithHits(env.DB, since, CALLERS_MAX);
  const hitsOf = async (principal: string) => {
    try {
      return await new CallerClient(env.USER_WINDOWS, principal).ruleHits(since);
    } catch (error) {
      logSurprise(causeOf(error), { what: "rule hits" });
      return undefined;
    }
  };
  const read = (await Promise.all(principals.map(hitsOf))).filter((hits) => hits !== undefined);
  return { totals: addUp(read), periodMs: PERIOD_MS, callers: total, callersRead: read.length };
}

/** Adds up rule hits by rule, mode and verdict. `hitsByCaller` has one list per caller. */
export function addUp(hitsByCaller: readonly (readonly RuleHits[])[]): RuleHitTotal[] {
  const sums = new Map<string, RuleHitTotal>();
  for (const hits of hitsByCaller) {
    const own = new Set<string>();
    for (const { rule, mode, verdict, calls } of hits) {
      const key = `${rule} ${mode} ${verdict}`;
      const sum = sums.get(key) ?? { rule, mode, verdict, calls: 0, callers: 0 };
      sums.set(key, { ...sum, calls: sum.calls + calls, callers: sum.callers + (own.has(key) ? 0 : 1) });
      own.add(key);
    }
  }
  return [...sums.values()];
}
