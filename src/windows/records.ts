import * as z from "zod";

// What the audit keeps of a call: an attempt before it runs and an outcome after it, in one chain per
// principal (src/windows/chain.ts). A crash between the two leaves the attempt. Times are milliseconds
// since the epoch. The rate window is rebuilt from these records; it is stored nowhere else.

const token = z.string();
const touched = { subjects: z.array(token), objects: z.array(token), neighbourhoods: z.array(token) };

const base = { seq: z.int().min(1), at: z.int() };

export const attemptSchema = z.strictObject({
  ...base,
  kind: z.literal("attempt"),
  target: z.enum(["tool", "resource", "prompt", "completion", "discovery", "request"]),
  name: z.string(),
  /** `admitted`, or the code of the refusal. */
  decision: z.string(),
  bucket: z.enum(["calls", "discovery"]),
  /** What it counts in its rate window; 0 where it was not charged. */
  weight: z.int().min(0),
  roles: z.array(z.string()),
  /** Keyed hash of the arguments: equal for equal arguments, and nobody can try values on it without the key. */
  digest: z.string(),
  /** As the policy lets them be seen, as JSON. */
  arguments: z.string(),
  protocol: z.string(),
  client: z.string(),
  correlation_id: z.string(),
  /** What the flow detector saw (src/flow/event.ts); null where the call has no labels. */
  flow: z
    .strictObject({
      classes: z.array(z.string()),
      kinds: z.array(z.string()),
      cost: z.strictObject({ records: z.int(), bytes: z.int() }),
      ...touched,
    })
    .nullable(),
});

export const outcomeSchema = z.strictObject({
  ...base,
  kind: z.literal("outcome"),
  /** The attempt's seq. */
  attempt: z.int(),
  /** `ok`, or the code of the refusal that the call ended in. */
  outcome: z.string(),
  records: z.int().min(0),
  bytes: z.int().min(0),
  duration_ms: z.int().min(0),
  flow: z
    .strictObject({ ...touched, missed: z.boolean(), tainted: z.boolean(), canary: z.boolean() })
    .nullable(),
});

/** More refusals of one code within a window of the first, which is the attempt `of`. */
export const repeatsSchema = z.strictObject({
  ...base,
  kind: z.literal("repeats"),
  of: z.int(),
  decision: z.string(),
  bucket: z.enum(["calls", "discovery"]),
  count: z.int().min(1),
  last_at: z.int(),
  /** What of them was charged, and when. */
  charges: z.array(z.tuple([z.int(), z.int()])),
});

export const recordSchema = z.discriminatedUnion("kind", [attemptSchema, outcomeSchema, repeatsSchema]);
export type AuditRecord = z.output<typeof recordSchema>;
export type Attempt = z.output<typeof attemptSchema>;
export type Outcome = z.output<typeof outcomeSchema>;
export type Repeats = z.output<typeof repeatsSchema>;
export type Bucket = Attempt["bucket"];

type WithoutPlace<Each> = Each extends AuditRecord ? Omit<Each, "seq" | "at"> : never;
/** A record before it has its place in a chain. */
export type Draft = WithoutPlace<AuditRecord>;
