import { type CallRecord, methodOf, statusOf } from "./call-record.ts";

// https://developers.cloudflare.com/analytics/analytics-engine/limits/ : a deployed Worker drops or rejects a point
// beyond these limits; the local runtime does not check them.
const BLOBS_MAX = 20;
const DOUBLES_MAX = 20;
const INDEX_BYTES_MAX = 96;
const BLOBS_BYTES_MAX = 16 * 1024;
/** All twenty blobs at this length stay below the sum. */
const BLOB_BYTES_MAX = Math.floor(BLOBS_BYTES_MAX / BLOBS_MAX);

type Blob = { means: string; of: (record: CallRecord) => string };
type Double = { means: string; of: (record: CallRecord) => number };

/**
 * The one mapping of a call to Analytics Engine's slots: blob1 is the first of these, and so on. A slot keeps its
 * meaning for as long as points are kept, so new ones go to the end. docs/analytics.md shows the mapping; a test keeps
 * the two alike.
 */
export const blobs: readonly ({ name: string } & Blob)[] = [
  { name: "kind", means: "tool, resource, prompt, completion, discovery or request", of: (r) => r.kind },
  { name: "name", means: "tool, URI template, prompt or method; `unknown`", of: (r) => r.name },
  { name: "status", means: "ok, error or refused", of: ({ outcome }) => statusOf(outcome) },
  { name: "code", means: "code in docs/errors.md; empty if it was answered", of: (r) => codeOf(r) },
  { name: "principal", means: "keyed hash of the caller's id", of: (r) => r.principal },
  { name: "client", means: "the client's description of itself", of: (r) => r.client },
  { name: "protocol", means: "MCP revision, or `unsaid`", of: (r) => r.protocol },
  { name: "flow_rules", means: "rules that were hit, as ` rule:mode `", of: (r) => rulesOf(r) },
  {
    name: "correlation_id",
    means: "names the call in its answer, the log and the audit",
    of: (r) => r.correlationId,
  },
  {
    name: "traceparent",
    means: "the caller's own span; empty if it sent none",
    of: (r) => r.trace.traceparent ?? "",
  },
  { name: "tracestate", means: "the rest of that context", of: (r) => r.trace.tracestate ?? "" },
  { name: "baggage", means: "W3C Baggage of the caller, cleaned", of: (r) => r.trace.baggage ?? "" },
  {
    name: "mcp.method.name",
    means: "method of the call; empty for a request that is no call",
    of: (r) => methodOf(r) ?? "",
  },
];
export const doubles: readonly ({ name: string } & Double)[] = [
  {
    name: "duration_ms",
    means: "from the start of admission to the end of settlement",
    of: (r) => r.durationMs,
  },
  { name: "result_bytes", means: "size of the answer", of: (r) => r.resultBytes },
  { name: "records", means: "records in the answer", of: (r) => r.records },
  { name: "ran", means: "1 if the guard let it start, else 0", of: (r) => Number(r.ran) },
  {
    name: "degraded",
    means: "1 if the caller's Durable Object was out of reach, else 0",
    of: (r) => Number(r.degraded),
  },
];

export interface Point {
  indexes: [string];
  blobs: string[];
  doubles: number[];
}

/** Makes the point of one call. Analytics Engine samples by index, so each caller's calls are sampled separately. */
export function pointOf(record: CallRecord): Point {
  return {
    indexes: [cutBytes(record.principal, INDEX_BYTES_MAX)],
    blobs: blobs.slice(0, BLOBS_MAX).map(({ of }) => cutBytes(of(record), BLOB_BYTES_MAX)),
    doubles: doubles.slice(0, DOUBLES_MAX).map(({ of }) => finite(of(record))),
  };
}

const codeOf = ({ outcome }: CallRecord): string => (outcome === "ok" ? "" : outcome);

// A space on both sides of each rule keeps a query from finding longer names.
const rulesOf = ({ verdicts }: CallRecord): string =>
  verdicts.length === 0 ? "" : ` ${verdicts.map(({ rule, mode }) => `${rule}:${mode}`).join(" ")} `;

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

const encoder = new TextEncoder();

/** Cuts to at most `max` bytes of UTF-8, never inside a character. */
export function cutBytes(text: string, max: number): string {
  // No UTF-16 unit takes more than three bytes.
  if (text.length * 3 <= max) return text;
  const { read } = encoder.encodeInto(text, new Uint8Array(max));
  return text.slice(0, read);
}
