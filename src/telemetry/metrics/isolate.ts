import { type CallRecord, statusOf } from "../call-record.ts";
import { type Counts, count, observe } from "./counts.ts";

/** Adds a finished call to an isolate's counts. */
export function countCall(counts: Counts, record: CallRecord): void {
  const { kind, name, outcome, ran, durationMs, degraded, records } = record;
  const status = statusOf(outcome);
  const seconds = durationMs / 1000;
  count(counts, "mcp_calls_total", [kind, status]);
  if (ran) observe(counts, "mcp_call_duration_seconds", [kind], seconds);
  if (kind === "tool") {
    count(counts, "mcp_tool_invocations_total", [name, status]);
    if (ran) observe(counts, "mcp_tool_duration_seconds", [name], seconds);
  }
  if (kind === "resource" && outcome === "ok") count(counts, "mcp_resource_reads_total", [name]);
  if (outcome !== "ok") count(counts, "mcp_refusals_total", [outcome]);
  for (const { rule, mode } of record.verdicts) count(counts, "mcp_flow_verdicts_total", [rule, mode]);
  if (degraded) count(counts, "mcp_degraded_calls_total", [String(ran)]);
  if (degraded && ran) count(counts, "mcp_unguarded_records_total", [], records);
}
