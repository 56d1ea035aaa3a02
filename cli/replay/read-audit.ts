import { isRefused } from "../../src/flow/decision.ts";
import type { FlowCall, FlowResult } from "../../src/flow/event.ts";
import { parseExportLine } from "../../src/windows/chain.ts";
import {
  ADMITTED,
  type Attempt,
  type AuditRecord,
  type Outcome,
  recordSchema,
  releasedAttempt,
} from "../../src/windows/records.ts";
import { toFlowCall } from "../../src/windows/flow-call.ts";
import { readJsonl } from "../import/read-jsonl.ts";
import { BadInput, type RecordedCall, type Recording, type Step } from "./recording.ts";

const LINE_MAX = 1024 * 1024;

/**
 * An exported audit (npm run audit -- export): one caller, in the order in which its Durable Object judged. What was
 * refused before the flow rules saw it is left out, and so are calls that only waited for others in flight and repeats of a
 * refusal, which are counted in the audit and not kept. A call that was stopped then has no outcome: under rules that let
 * it run, it counts as one whose settlement is lost.
 */
export async function* readAudit(name: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<Recording> {
  const records: AuditRecord[] = [];
  let principal = "";
  for await (const row of readJsonl(bytes, LINE_MAX)) {
    const problem = "problem" in row ? row.problem : undefined;
    const line = "problem" in row ? undefined : parseExportLine(row.value);
    if (line === undefined)
      throw new BadInput(`${name}, line ${row.line}: ${problem ?? "no line of an audit"}`);
    if ("principal" in line) principal = line.principal;
    else {
      const record = recordSchema.safeParse(line.record);
      if (!record.success) throw new BadInput(`${name}, line ${row.line}: no record of an audit`);
      records.push(record.data);
    }
  }
  yield recordingOfAudit(principal, records);
}

/** The calls that the flow rules judged, and when each was settled. */
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
      const call = wasJudged(record) ? toFlowCall(record) : undefined;
      if (call === undefined) return [];
      catalogSize = record.catalog_size;
      const passed = released.get(record.seq);
      const recorded = {
        ...recordedCall(call, outcomes.get(record.seq), calls.size),
        catalogSize,
        ...(passed !== undefined && { released: passed }),
      };
      calls.set(record.seq, recorded);
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
  return { id, catalogSize, calls: [...calls.values()], steps };
}

/** Whether the flow rules were asked: an earlier stage had not refused it. */
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
