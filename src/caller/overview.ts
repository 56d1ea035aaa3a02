import type { FlowView } from "../detection/view.ts";
import type { CallerState } from "./state.ts";
import { type Refusals, refusalsIn } from "./audit/refusal-share.ts";
import {
  type Act,
  type Attempt,
  type AuditRecord,
  type Bucket,
  type Outcome,
  isAct,
} from "./audit/records.ts";
import { usedAt } from "./rate/sliding-window.ts";

// What an admin sees of one principal's object. Nothing here changes what is stored.

/** A call as the audit has it: arguments redacted, people as numbers. `outcome` is null while there is none. */
export interface CallView {
  seq: number;
  /** Milliseconds since the epoch. */
  at: number;
  name: string;
  client: string;
  correlation_id: string;
  /** `admitted`, or the code of the refusal. */
  decision: string;
  /** As JSON. */
  arguments: string;
  classes: string[];
  outcome: {
    /** `ok`, or the code of the refusal that the call ended in. */
    code: string;
    withheld: string | null;
    records: number;
    people: number;
    duration_ms: number;
    /** The answer held text that reads like an instruction, or a planted record. */
    tainted: boolean;
    canary: boolean;
  } | null;
}

export interface Overview extends FlowView {
  /** The audit: records made so far and the moment of the first; null before the first. */
  chain: { records: number; started_at: number } | null;
  /** Weight charged in the rate window that is going on. */
  budget: { bucket: Bucket; used: number }[];
  refusals: Refusals;
  /** The latest first. */
  calls: CallView[];
  /** What was decided about the caller and changed of it, the latest first. */
  acts: Act[];
}

/** Records read for the latest calls: an attempt and an outcome each, and decisions in between. */
export const RECORDS_READ = 80;
const CALLS_SHOWN = 25;
const ACTS_SHOWN = 20;

/** `windowMs` are the lengths of the caller's rate windows, which are the policy's. */
export function overviewOf(
  { store, log, windows, flow }: CallerState,
  windowMs: Record<Bucket, number>,
  now: number,
): Overview {
  const budget = (["calls", "discovery"] as const).map((bucket) => ({
    bucket,
    used: usedAt(windows.window(bucket, windowMs[bucket], now), windowMs[bucket], now),
  }));
  const { state, head } = log;
  const records = store.newest(RECORDS_READ);
  const latest = records.find((record) => record.kind === "attempt");
  return {
    chain: state === undefined ? null : { records: head?.seq ?? 0, started_at: state.startedAt },
    budget,
    refusals: refusalsIn(records, log.runs, now),
    ...flow.view({ catalogSize: latest?.catalog_size ?? 0 }, now),
    calls: callsOf(records).slice(0, CALLS_SHOWN),
    acts: store.acts(ACTS_SHOWN).filter(isAct),
  };
}

export interface CallsAround {
  matched: CallView[];
  before: CallView[];
}

const BEFORE_SHOWN = 12;

/** The attempts of these numbers, and those just before the last of them that are not among them. */
export function callsAround({ store }: Pick<CallerState, "store">, attempts: readonly number[]): CallsAround {
  const last = attempts.at(-1);
  if (last === undefined) return { matched: [], before: [] };
  const before = callsOf(store.newest(RECORDS_READ, last)).filter(({ seq }) => !attempts.includes(seq));
  return { matched: callsOf(store.attemptsOf(attempts)), before: before.slice(0, BEFORE_SHOWN) };
}

/** The attempts among some of a principal's records, the latest first, each with its outcome where that is there too. */
export function callsOf(records: readonly AuditRecord[]): CallView[] {
  const outcomes = new Map(
    records.flatMap((record) => (record.kind === "outcome" ? [[record.attempt, record] as const] : [])),
  );
  return records
    .filter((record) => record.kind === "attempt")
    .map((attempt) => callOf(attempt, outcomes.get(attempt.seq)))
    .toSorted((a, b) => b.seq - a.seq);
}

function callOf(
  { seq, at, name, client, correlation_id, decision, arguments: args, flow }: Attempt,
  outcome: Outcome | undefined,
): CallView {
  return {
    seq,
    at,
    name,
    client,
    correlation_id,
    decision,
    arguments: args,
    classes: [...(flow?.classes ?? [])],
    outcome:
      outcome === undefined
        ? null
        : {
            code: outcome.outcome,
            withheld: outcome.withheld,
            records: outcome.records,
            people: new Set([...(flow?.subjects ?? []), ...(outcome.flow?.subjects ?? [])]).size,
            duration_ms: outcome.duration_ms,
            tainted: outcome.flow?.tainted ?? false,
            canary: outcome.flow?.canary ?? false,
          },
  };
}

/** How often a rule spoke in one principal's audit. */
export interface RuleHits {
  rule: string;
  mode: "shadow" | "enforce";
  verdict: string;
  calls: number;
}

export function countHits(records: readonly AuditRecord[]): RuleHits[] {
  const counted = new Map<string, RuleHits>();
  for (const record of records) {
    if (record.kind !== "attempt" && record.kind !== "outcome") continue;
    for (const { rule, mode, verdict } of record.hits) {
      const key = `${rule} ${mode} ${verdict}`;
      const calls = (counted.get(key)?.calls ?? 0) + 1;
      counted.set(key, { rule, mode, verdict, calls });
    }
  }
  return [...counted.values()];
}
