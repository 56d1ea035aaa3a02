/**
 * Upper bounds in seconds. They are dense around usual durations, so that an estimated quantile is within a third of
 * the true one.
 */
export const BUCKETS = [
  0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5,
] as const;

interface Metric {
  type: "counter" | "histogram" | "gauge";
  help: string;
  labels: readonly string[];
}

/**
 * The one table of metrics. Label values come from a registry, a table or the policy, never from a caller.
 * docs/metrics.md shows it; a test keeps the two alike.
 */
export const metrics = {
  mcp_tool_invocations_total: {
    type: "counter",
    help: "Tool calls that ended, by tool and by how: ok, error (the server's fault) or refused.",
    labels: ["tool_name", "status"],
  },
  mcp_tool_duration_seconds: {
    type: "histogram",
    help: "Time that a tool call took, guard and settlement included; calls that the guard refused are left out.",
    labels: ["tool_name"],
  },
  mcp_resource_reads_total: {
    type: "counter",
    help: "Resources read and answered, by URI template.",
    labels: ["resource_uri"],
  },
  mcp_calls_total: {
    type: "counter",
    help: "Calls of every kind that ended, by how.",
    labels: ["kind", "status"],
  },
  mcp_call_duration_seconds: {
    type: "histogram",
    help: "Time that a call of any kind took, guard and settlement included; calls that the guard refused are left out.",
    labels: ["kind"],
  },
  mcp_refusals_total: {
    type: "counter",
    help: "Calls and requests that were answered with a code of docs/errors.md.",
    labels: ["code"],
  },
  mcp_flow_verdicts_total: {
    type: "counter",
    help: "Times that a flow rule was hit: enforce (it decided), flag (it informed a person) or shadow (it only records).",
    labels: ["rule", "mode"],
  },
  mcp_degraded_calls_total: {
    type: "counter",
    help: "Calls made while the caller's Durable Object could not be reached, by whether they were served.",
    labels: ["served"],
  },
  mcp_unguarded_records_total: {
    type: "counter",
    help: "Records in answers that were served while the caller's Durable Object could not be reached.",
    labels: [],
  },
  mcp_d1_duration_seconds: {
    type: "histogram",
    help: "Time to D1's answer, as the Worker sees it.",
    labels: [],
  },
  mcp_durable_object_duration_seconds: {
    type: "histogram",
    help: "Time to an answer of the caller's Durable Object, as the Worker sees it.",
    labels: ["operation"],
  },
  mcp_telemetry_lost_total: {
    type: "counter",
    help: "Deltas that an isolate could not bring to the metrics hub and gave up.",
    labels: [],
  },
  mcp_build_info: {
    type: "gauge",
    help: "1, labelled with the version and the commit that answered the scrape.",
    labels: ["version", "commit"],
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;
type OfType<T> = {
  [Name in MetricName]: (typeof metrics)[Name]["type"] extends T ? Name : never;
}[MetricName];
export type CounterName = OfType<"counter">;
export type HistogramName = OfType<"histogram">;
type Values<Labels extends readonly string[]> = { readonly [Index in keyof Labels]: string };
/** A value for each of a metric's labels, in the table's order. */
export type LabelValues<Name extends MetricName> = Values<(typeof metrics)[Name]["labels"]>;
