import { type CallRecord, statusOf } from "./call-record.ts";

// https://developers.cloudflare.com/analytics/analytics-engine/limits/ : a point beyond them is dropped or
// refused where it is deployed, and nothing checks it on this machine.
const BLOBS_MAX = 20;
const DOUBLES_MAX = 20;
const INDEX_BYTES_MAX = 96;
const BLOBS_BYTES_MAX = 16 * 1024;
/** All twenty at this length stay below the sum. */
const BLOB_BYTES_MAX = Math.floor(BLOBS_BYTES_MAX / BLOBS_MAX);

type Blob = { means: string; of: (record: CallRecord) => string };
type Double = { means: string; of: (record: CallRecord) => number };

/**
 * The one mapping of a call to Analytics Engine's slots: blob1 is the first of these, and so on. A slot keeps its
 * meaning for as long as points are kept, so new ones go to the end. docs/analytics.md shows the mapping, and a
 * test keeps the two alike.
 */
export const blobs: readonly ({ name: string } & Blob)[] = [
  { name: "kind", means: "tool, resource, prompt, completion, discovery or request", of: (r) => r.kind },
  { name: "name", means: "tool, URI template, prompt or method; `unknown`", of: (r) => r.name },
  { name: "status", means: "ok, error or refused", of: ({ outcome }) => statusOf(outcome) },
  { name: "code", means: "of docs/errors.md; empty where it was answered", of: (r) => codeOf(r) },
  { name: "principal", means: "keyed hash of the caller's id", of: (r) => r.principal },
  { name: "client", means: "what the client says of itself", of: (r) => r.client },
  { name: "protocol", means: "MCP revision, or `unsaid`", of: (r) => r.protocol },
  { name: "flow_rules", means: "rules that spoke, as ` rule:mode `", of: (r) => rulesOf(r) },
  {
    name: "correlation_id",
    means: "names the call in its answer, the log and the audit",
    of: (r) => r.correlationId,
  },
];
export const doubles: readonly ({ name: string } & Double)[] = [
  { name: "duration_ms", means: "from the guard's first look to its last word", of: (r) => r.durationMs },
  { name: "result_bytes", means: "of the answer", of: (r) => r.resultBytes },
  { name: "records", means: "in the answer", of: (r) => r.records },
  { name: "ran", means: "1 where the guard let it begin, else 0", of: (r) => Number(r.ran) },
  {
    name: "degraded",
    means: "1 where the caller's Durable Object was out of reach, else 0",
    of: (r) => Number(r.degraded),
  },
];

export interface Point {
  indexes: [string];
  blobs: string[];
  doubles: number[];
}

/** One point of a call. Sampling is by the index: each caller's calls are sampled on their own. */
export function pointOf(record: CallRecord): Point {
  return {
    indexes: [cutBytes(record.principal, INDEX_BYTES_MAX)],
    blobs: blobs.slice(0, BLOBS_MAX).map(({ of }) => cutBytes(of(record), BLOB_BYTES_MAX)),
    doubles: doubles.slice(0, DOUBLES_MAX).map(({ of }) => finite(of(record))),
  };
}

const codeOf = ({ outcome }: CallRecord): string => (outcome === "ok" ? "" : outcome);

// With a space on both sides of each, so that a query for one finds no longer name.
const rulesOf = ({ verdicts }: CallRecord): string =>
  verdicts.length === 0 ? "" : ` ${verdicts.map(({ rule, mode }) => `${rule}:${mode}`).join(" ")} `;

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

const encoder = new TextEncoder();

/** At most `max` bytes of UTF-8, never part of a character. */
export function cutBytes(text: string, max: number): string {
  // No UTF-16 unit takes more than three bytes.
  if (text.length * 3 <= max) return text;
  const { read } = encoder.encodeInto(text, new Uint8Array(max));
  return text.slice(0, read);
}
