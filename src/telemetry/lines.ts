import { type CallKind, type CallRecord, type CallStatus, methodOf, statusOf } from "./call-record.ts";
import { logEvent } from "./log.ts";
import { traceFields } from "./trace-context.ts";

type Ended = Parameters<typeof logEvent<"tool_invocation_completed">>[1];

/** Logs a finished call: its own line, and one for each rule that was hit. */
export function logCall(record: CallRecord): void {
  const { kind, name: target, outcome, verdicts, correlationId: correlation_id, principal } = record;
  const status = statusOf(outcome);
  const rules = verdicts.map(({ rule, mode }) => `${rule}:${mode}`).join(" ");
  const common = {
    correlation_id,
    principal,
    client: record.client,
    protocol: record.protocol,
    ...traceFields(record.trace),
    "mcp.method.name": methodOf(record),
    arguments: Object.keys(record.arguments).length === 0 ? undefined : record.arguments,
    duration_ms: Math.round(record.durationMs * 10) / 10,
    result_bytes: record.resultBytes,
    records: record.records,
    degraded: record.degraded || undefined,
    flow_rules: rules === "" ? undefined : rules,
  };
  const code = outcome === "ok" ? undefined : outcome;
  logEnded(kind, status, { ...common, code }, target);
  for (const { rule, mode, verdict } of verdicts) {
    const event = mode === "shadow" ? "flow_shadow" : "flow_incident";
    logEvent(event, { correlation_id, principal, target, rule, mode, verdict });
  }
}

function logEnded(
  kind: CallKind,
  status: CallStatus,
  common: Omit<Ended, "tool_name"> & { code: string | undefined },
  name: string,
): void {
  switch (kind) {
    case "tool":
      return logEvent(TOOL[status], { ...common, tool_name: name });
    case "resource":
      return logEvent(RESOURCE[status], { ...common, resource_uri: name });
    case "prompt":
      return logEvent(PROMPT[status], { ...common, prompt_name: name });
    case "completion":
      return logEvent(COMPLETION[status], { ...common, completion_of: name });
    case "discovery":
      return logEvent(DISCOVERY[status], { ...common, method: name });
    case "request":
      if (status === "ok") return logEvent("request_counted", { ...common, target: name });
      return logEvent(status === "error" ? "request_failed" : "request_refused", common);
  }
}

const TOOL = {
  ok: "tool_invocation_completed",
  error: "tool_invocation_failed",
  refused: "tool_invocation_refused",
} as const;
const RESOURCE = {
  ok: "resource_read",
  error: "resource_read_failed",
  refused: "resource_read_refused",
} as const;
const PROMPT = { ok: "prompt_get", error: "prompt_get_failed", refused: "prompt_get_refused" } as const;
const COMPLETION = { ok: "completion", error: "completion_failed", refused: "completion_refused" } as const;
const DISCOVERY = { ok: "discovery", error: "discovery_failed", refused: "discovery_refused" } as const;
