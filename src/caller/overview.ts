import type { FlowView } from "../detection/view.ts";
import type { CallerState } from "./state.ts";
import { type Refusals, refusalsIn } from "./audit/refusal-share.ts";
import {
  type AdminEvent,
  type Attempt,
  type AuditRecord,
  type Bucket,
  type Outcome,
  isAdminEvent,
} from "./audit/records.ts";
import { usedAt } from "./rate/sliding-window.ts";

// An admin's read-only view of one principal's object.

/** A call from the audit: arguments are redacted, people are only counted. `outcome` is null until there is one. */
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
    /** The answer held instruction-like text (`tainted`) or a planted record (`canary`). */
    tainted: boolean;
    canary: boolean;
  } | null;
}

export interface Overview extends FlowView {
  /** The audit chain: records so far and the time of the first; null before the first. */
  chain: { records: number; started_at: number } | null;
  /** Weight charged in the current rate window. */
  budget: { bucket: Bucket; used: number }[];
  refusals: Refusals;
  /** The latest first. */
  calls: CallView[];
  /** Decisions about the caller and changes to its identity, the latest first. */
  adminEvents: AdminEvent[];
}

/** Records read for the latest calls: an attempt and an outcome each, with decisions between them. */
export const RECORDS_READ = 80;
const CALLS_SHOWN = 25;
const ADMIN_EVENTS_SHOWN = 20;

/** `windowMs` are the lengths of the caller's rate windows, from the policy. */
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
    refusals: refusalsIn(records, log.openRepeats, now),
    ...flow.view({ catalogSize: latest?.catalog_size ?? 0 }, now),
    calls: callsOf(records).slice(0, CALLS_SHOWN),
    adminEvents: store.adminEvents(ADMIN_EVENTS_SHOWN).filter(isAdminEvent),
  };
}

export interface CallsAround {
  matched: CallView[];
  before: CallView[];
}

const BEFORE_SHOWN = 12;

/** Returns the attempts with these numbers, and the attempts just before the last of them. */
export function callsAround({ store }: Pick<CallerState, "store">, attempts: readonly number[]): CallsAround {
  const last = attempts.at(-1);
  if (last === undefined) return { matched: [], before: [] };
  const before = callsOf(store.newest(RECORDS_READ, last)).filter(({ seq }) => !attempts.includes(seq));
  return { matched: callsOf(store.attemptsOf(attempts)), before: before.slice(0, BEFORE_SHOWN) };
}

/** Returns the attempts among some records, the latest first, each with its outcome if that is among them. */
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

/** The number of one rule's hits in one principal's audit. */
export interface RuleHits {
  rule: string;
  mode: "shadow" | "enforce";
  verdict: string;
  calls: number;
}

export function countRuleHits(records: readonly AuditRecord[]): RuleHits[] {
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
