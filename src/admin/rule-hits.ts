import { DAY } from "../flow/window.ts";
import type { Anchor } from "../windows/chain.ts";
import { listAnchors } from "../windows/anchors.ts";
import type { RuleHits } from "../windows/overview.ts";

/** How often a rule spoke, at how many callers. */
export type Spoken = RuleHits & { callers: number };

export interface SpokenRules {
  hits: Spoken[];
  sinceMs: number;
  /** Whose audits were read, and how many called within that time. */
  callersRead: number;
  callersSeen: number;
}

const LOOK_BACK_MS = DAY;
/** An object each is asked. */
const CALLERS_MAX = 50;

/** Reads the audits of those who called last. */
export async function readRuleHits(env: Env, now: number): Promise<SpokenRules> {
  const since = now - LOOK_BACK_MS;
  const seen = (await listAnchors(env.DB)).filter(({ anchored_at }) => anchored_at >= since);
  const read = seen.slice(0, CALLERS_MAX);
  const ask = ({ principal }: Anchor) => env.USER_WINDOWS.getByName(principal).ruleHits(since);
  const all = await Promise.all(read.map(ask));
  return {
    hits: addUp(all),
    sinceMs: LOOK_BACK_MS,
    callersRead: read.length,
    callersSeen: seen.length,
  };
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
