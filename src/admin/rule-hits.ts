import { DAY } from "../detection/window.ts";
import { logSurprise } from "../telemetry/log.ts";
import { listSpokenTo } from "../caller/audit/anchors.ts";
import { CallerClient, causeOf } from "../caller/caller-client.ts";
import type { RuleHits } from "../caller/overview.ts";

/** How often a rule spoke, at how many callers. */
export type Spoken = RuleHits & { callers: number };

export interface SpokenRules {
  hits: Spoken[];
  sinceMs: number;
  /** At whose calls a rule spoke within that time, and the audits of how many of them were read. */
  callers: number;
  callersRead: number;
}

const LOOK_BACK_MS = DAY;
/** An object each is asked. */
const CALLERS_MAX = 50;

/** Reads the audits of those at whose calls a rule spoke last; of one whose object can't be reached, nothing. */
export async function readRuleHits(env: Env, now: number): Promise<SpokenRules> {
  const since = now - LOOK_BACK_MS;
  const { principals, total } = await listSpokenTo(env.DB, since, CALLERS_MAX);
  const ask = async (principal: string) => {
    try {
      return await new CallerClient(env.USER_WINDOWS, principal).ruleHits(since);
    } catch (error) {
      logSurprise(causeOf(error), { what: "rule hits" });
      return undefined;
    }
  };
  const read = (await Promise.all(principals.map(ask))).filter((hits) => hits !== undefined);
  return { hits: addUp(read), sinceMs: LOOK_BACK_MS, callers: total, callersRead: read.length };
}

/** One list per caller. */
export function addUp(all: readonly (readonly RuleHits[])[]): Spoken[] {
  const sums = new Map<string, Spoken>();
  for (const hits of all) {
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
