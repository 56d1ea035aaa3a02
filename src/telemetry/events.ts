/** Every field of a log line. Units are part of the names. */
export const fields = {
  correlation_id: {
    type: "string",
    means: "names the request, as its `X-Request-Id` does; in a batch, the call too: `<request>/<place>`",
  },
  principal: { type: "string", means: "keyed hash of the caller's id; the same for all its calls" },
  client: { type: "string", means: "the client's description of itself, cleaned and cut" },
  protocol: { type: "string", means: "MCP revision, or `unsaid`" },
  traceparent: { type: "string", means: "the caller's own span, as W3C Trace Context writes it" },
  tracestate: { type: "string", means: "the rest of that context, cut to 512" },
  baggage: { type: "string", means: "W3C Baggage of the caller, cleaned and cut to 512" },
  "mcp.method.name": { type: "string", means: "method of the call" },
  tool_name: { type: "string", means: "name in the registry, or `unknown`" },
  resource_uri: { type: "string", means: "URI template of the registry, or `unknown`" },
  prompt_name: { type: "string", means: "name in the registry, or `unknown`" },
  completion_of: { type: "string", means: "prompt or URI template that is completed, or `unknown`" },
  method: { type: "string", means: "method of the protocol" },
  target: { type: "string", means: "tool, URI template, prompt, method or kind of request" },
  arguments: {
    type: "object",
    means:
      "arguments that the policy's `redact` allows, texts only as their length; the number of the others",
  },
  code: { type: "string", means: "code in docs/errors.md" },
  duration_ms: { type: "number", means: "from the start of admission to the end of settlement" },
  result_bytes: { type: "number", means: "size of the answer, 0 if there was none" },
  records: { type: "number", means: "records in the answer" },
  degraded: { type: "boolean", means: "the caller's Durable Object was out of reach" },
  flow_rules: { type: "string", means: "rules that were hit, as `rule:mode`, separated by spaces" },
  rule: { type: "string", means: "id of the policy's rule" },
  mode: { type: "string", means: "`enforce`, `flag` or `shadow`" },
  verdict: { type: "string", means: "verdict of the rule" },
  incident: { type: "string", means: "id of the incident" },
  served: { type: "boolean", means: "whether the call went on unguarded" },
  products: { type: "number", means: "most products that the answer can hold; 0 if it was not served" },
  overloaded: { type: "boolean", means: "the object responds, but is busy with its caller's other calls" },
  claimed_principal: { type: "string", means: "keyed hash of the bearer token's user" },
  what: { type: "string", means: "operation that failed" },
  error: { type: "string", means: "message and stack; addresses, keys and long tokens are cut out" },
  problem: { type: "string", means: "kind of failure, as the library names it" },
  cause: { type: "string", means: "message of the provider or the network, cleaned likewise" },
  setting: { type: "string", means: "name of a setting" },
  path: { type: "string", means: "place in policy.json" },
  reason: { type: "string", means: "the problem" },
  part: { type: "string", means: "part that is not ready, as /readyz names it" },
  setup_code: { type: "string", means: "the code that the setup page asks for; it makes the first admin" },
  expires_at: { type: "string", means: "when it expires" },
  lost_calls: { type: "number", means: "calls that metrics will not show" },
} as const satisfies Record<string, { type: keyof Types; means: string }>;

interface Types {
  string: string;
  number: number;
  boolean: boolean;
  object: Readonly<Record<string, string | number | boolean | null>>;
}
type FieldName = keyof typeof fields;

const BEGUN = ["correlation_id", "principal", "client", "protocol"] as const;
const TRACED = [...BEGUN, "traceparent", "tracestate", "baggage", "mcp.method.name"] as const;
const ENDED = [
  ...TRACED,
  "arguments",
  "duration_ms",
  "result_bytes",
  "records",
  "degraded",
  "flow_rules",
] as const;
const FLOW = ["correlation_id", "principal", "target", "rule", "mode", "verdict"] as const;

const info = <const Names extends readonly FieldName[]>(means: string, names: Names) =>
  ({ level: "info", means, fields: names }) as const;
const error = <const Names extends readonly FieldName[]>(means: string, names: Names) =>
  ({ level: "error", means, fields: names }) as const;

/**
 * The one table of log events. Names and fields are stable, because alerts and queries depend on them. A line holds
 * these fields and no others, and leaves out those that do not apply. docs/logs.md shows the table; a test keeps the
 * two alike.
 */
export const events = {
  tool_invocation_started: info("A tool call has arrived", [...TRACED, "tool_name"]),
  tool_invocation_completed: info("A tool call was answered", [...ENDED, "tool_name"]),
  tool_invocation_failed: error("A tool call failed through the server's fault", [
    ...ENDED,
    "tool_name",
    "code",
  ]),
  tool_invocation_refused: info("A tool call was refused", [...ENDED, "tool_name", "code"]),
  resource_read: info("A resource was read and answered", [...ENDED, "resource_uri"]),
  resource_read_failed: error("Reading a resource failed", [...ENDED, "resource_uri", "code"]),
  resource_read_refused: info("Reading a resource was refused", [...ENDED, "resource_uri", "code"]),
  prompt_get: info("A prompt was answered", [...ENDED, "prompt_name"]),
  prompt_get_failed: error("Getting a prompt failed", [...ENDED, "prompt_name", "code"]),
  prompt_get_refused: info("Getting a prompt was refused", [...ENDED, "prompt_name", "code"]),
  completion: info("Completions were answered", [...ENDED, "completion_of"]),
  completion_failed: error("Completing failed", [...ENDED, "completion_of", "code"]),
  completion_refused: info("Completing was refused", [...ENDED, "completion_of", "code"]),
  discovery: info("initialize, server/discover or a list was answered", [...ENDED, "method"]),
  discovery_failed: error("It failed", [...ENDED, "method", "code"]),
  discovery_refused: info("Discovery was refused", [...ENDED, "method", "code"]),
  request_counted: info("A registration, sign-in, admin change or the like was counted and let through", [
    ...BEGUN,
    "duration_ms",
    "degraded",
    "flow_rules",
    "target",
  ]),
  request_failed: error("A request failed through the server's fault before a call was read from it", [
    ...BEGUN,
    "code",
  ]),
  request_refused: info("A request was refused before a call was read from it", [...BEGUN, "code"]),
  signature_refused: info("A request's signature was refused", [
    "correlation_id",
    "claimed_principal",
    "code",
  ]),
  flow_incident: info("An enforced flow rule was hit; docs/incidents.md", FLOW),
  flow_shadow: info("A shadow flow rule was hit; nothing was refused", FLOW),
  guard_degraded: error("The caller's Durable Object is out of reach", [
    "correlation_id",
    "target",
    "served",
    "products",
    "overloaded",
  ]),
  incident_lost: error(
    "An object had too many incidents to keep: one is not in D1, or nobody can decide it any more",
    ["incident", "rule"],
  ),
  incident_untold: error(
    "The webhook was out of reach for three days, or there were too many incidents to keep",
    ["incident"],
  ),
  internal_error: error("An unexpected error; the answer held only the correlation id", [
    "correlation_id",
    "what",
    "error",
  ]),
  protocol_error: info("The SDK refused a message", ["correlation_id", "problem"]),
  assertion_refused: info("An assertion of the sign-in provider was refused", ["reason"]),
  sign_on_declined: info("Sign-in by the provider was declined", ["correlation_id", "problem", "cause"]),
  sign_on_problem: error("The sign-in provider could not be used", ["correlation_id", "problem", "cause"]),
  setup_code: info("Somebody asked the setup page for a code, which only this line shows", [
    "correlation_id",
    "setup_code",
    "expires_at",
  ]),
  setup_done: info("The first admin was made on the setup page", ["correlation_id", "principal"]),
  setting_wrong: error("A setting is not valid, and nothing is served", ["setting", "reason"]),
  policy_broken: error("policy.json is not valid, and nothing is served", ["path", "reason"]),
  not_ready: error("/readyz answered 503", ["correlation_id", "part", "error"]),
  metrics_lost: error("The metrics hub was out of reach for too long", ["lost_calls"]),
} as const satisfies Record<string, { level: Level; means: string; fields: readonly FieldName[] }>;

export type Level = "info" | "error";
export type EventName = keyof typeof events;

/** The fields of an event's line; undefined if a field does not apply. */
export type EventFields<Name extends EventName> = {
  [Field in (typeof events)[Name]["fields"][number]]: Types[(typeof fields)[Field]["type"]] | undefined;
};
