import { isRefused } from "../../src/detection/decision.ts";
import type { FlowCall, FlowResult } from "../../src/detection/event.ts";
import { parseExportLine } from "../../src/caller/audit/chain.ts";
import {
  ADMITTED,
  type Attempt,
  type AuditRecord,
  type Outcome,
  recordSchema,
  releasedAttempt,
} from "../../src/caller/audit/records.ts";
import { toFlowCall } from "../../src/caller/detection/call-event.ts";
import { readJsonl } from "../../src/catalog/import/read/read-jsonl.ts";
import type { RateEvent } from "./rate.ts";
import { BadInput, type RecordedCall, type Recording, type Step } from "./recording.ts";

const LINE_MAX = 1024 * 1024;

/**
 * Reads one or more exported audits (audit export): each one caller, in the order in which its Durable Object
 * decided. Calls refused before the rate window are not judged by flow rules. Calls that only waited for
 * others in flight and repeated refusals are counted in the audit but not kept. A call that was stopped has
 * no outcome: under rules that allow it, it counts as a call whose settlement is lost.
 */
export async function* readAudit(name: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<Recording> {
  let records: AuditRecord[] = [];
  let principal: string | undefined;
  for await (const row of readJsonl(bytes, LINE_MAX)) {
    const problem = "problem" in row ? row.problem : undefined;
    const line = "problem" in row ? undefined : parseExportLine(row.value);
    if (line === undefined)
      throw new BadInput(`${name}, line ${row.line}: ${problem ?? "not a line of an audit"}`);
    if ("principal" in line) {
      if (principal !== undefined) yield recordingOfAudit(principal, records);
      records = [];
      ({ principal } = line);
    } else {
      const record = recordSchema.safeParse(line.record);
      if (!record.success) throw new BadInput(`${name}, line ${row.line}: not an audit record`);
      records.push(record.data);
    }
  }
  yield recordingOfAudit(principal ?? "", records);
}

/** Returns the calls that the flow rules judged, and when each was settled. */
export function recordingOfAudit(id: string, records: readonly AuditRecord[]): Recording {
  const calls = new Map<number, RecordedCall>();
  const outcomes = new Map(
    records.flatMap((record) => (record.kind === "outcome" ? [[record.attempt, record] as const] : [])),
  );
  const released = new Map(
    records.flatMap((record) =>
      record.kind === "decision" ? [[releasedAttempt(record), record.rules] as const] : [],
    ),
  );
  let catalogSize = 0;
  const steps = records.flatMap((record): Step[] => {
    if (record.kind === "attempt") {
      const isJudged = wasJudged(record);
      const wasLimited = !isJudged && record.decision === RATE_LIMITED;
      const call = isJudged || wasLimited ? toFlowCall(record) : undefined;
      if (call === undefined) return [];
      catalogSize = record.catalog_size;
      const passed = released.get(record.seq);
      const recorded = {
        ...recordedCall(call, outcomes.get(record.seq), calls.size),
        catalogSize,
        wasLimited,
        ...(passed !== undefined && { released: passed }),
      };
      if (isJudged) calls.set(record.seq, recorded);
      return [{ kind: "admit", recorded }];
    }
    if (record.kind === "outcome") {
      const recorded = calls.get(record.attempt);
      return recorded === undefined ? [] : [{ kind: record.flow === null ? "abandon" : "settle", recorded }];
    }
    if (
      record.kind === "decision" &&
      record.decision === "released" &&
      releasedAttempt(record) === undefined
    ) {
      const { rules, at, until, allowance } = record;
      return rules.map((rule) => ({
        kind: "release",
        release: { rule, subject: null, at, until, allowance },
      }));
    }
    return [];
  });
  return { id, catalogSize, calls: [...calls.values()], steps, rate: rateOf(records) };
}

const RATE_LIMITED = "rate_limited";
/** Codes of the stages before the rate window. */
const BEFORE_RATE = new Set([
  "signature_invalid",
  "signature_replayed",
  "unauthenticated",
  "permission_denied",
]);

function rateOf(records: readonly AuditRecord[]): Recording["rate"] {
  const attempts = new Map<number, Attempt>();
  let unplaced = 0;
  const events = records.flatMap((record): RateEvent[] => {
    if (record.kind === "attempt") {
      attempts.set(record.seq, record);
      const { at, bucket, roles, name, seq, decision } = record;
      return [{ at, bucket, roles, name, attempt: seq, isRefusedBefore: BEFORE_RATE.has(decision) }];
    }
    if (record.kind !== "repeats") return [];
    const { bucket, charges, count, decision, of } = record;
    const first = attempts.get(of);
    if (decision === RATE_LIMITED) unplaced += count - charges.length;
    const like = { bucket, roles: first?.roles ?? [], name: first?.name ?? "", attempt: undefined };
    const isRefusedBefore = decision !== ADMITTED;
    return charges.map(([at]) => ({ ...like, at, isRefusedBefore }));
  });
  return { events: events.toSorted((a, b) => a.at - b.at), unplaced };
}

/** Whether the flow rules judged it, because no earlier stage had refused it. */
const wasJudged = ({ decision, hits }: Attempt): boolean =>
  decision === ADMITTED || hits.some(({ mode, verdict }) => mode === "enforce" && isRefused(verdict));

function recordedCall(call: FlowCall, outcome: Outcome | undefined, index: number): RecordedCall {
  const flow = outcome?.flow ?? NOTHING;
  const result: FlowResult = {
    at: outcome?.at ?? call.at,
    records: outcome?.records ?? 0,
    bytes: outcome?.bytes ?? 0,
    ...flow,
  };
  const isCatalog = call.classes.includes("catalog");
  const subjects = outcome === undefined ? [] : [...flow.subjects, ...(flow.missed ? [] : call.subjects)];
  return { call, result, index, answered: { subjects, products: isCatalog ? flow.objects : [] } };
}

const NOTHING = {
  subjects: [],
  objects: [],
  missed: true,
  tainted: false,
  canary: false,
};
