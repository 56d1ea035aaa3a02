import * as z from "zod";
import { RULE_VERDICTS } from "../../detection/rules.ts";
import { DETAIL_KINDS } from "../../detection/details.ts";
import { CALL_KINDS, DATA_CLASSES } from "../../detection/labels.ts";
import { writeSizeSchema } from "../../detection/size.ts";

// The audit's records: an attempt before a call runs and an outcome after it, in one chain per principal
// (src/caller/audit/chain.ts). A crash between the two leaves the attempt. Times are milliseconds since the epoch. Fields of
// a newer release stay in the chain and are ignored here. The rate window is rebuilt from these records and stored nowhere
// else.

const tokens = z.array(z.string()).readonly();
const touched = { subjects: tokens, objects: tokens };

/** One rule's observation (src/detection/decision.ts). Never shown to the caller. */
export const hitSchema = z.object({
  rule: z.string(),
  version: z.int(),
  mode: z.enum(["shadow", "enforce"]),
  verdict: z.enum(["allow", ...RULE_VERDICTS]),
  observed: z.number(),
  threshold: z.number(),
  window: z.number(),
  events: z.array(z.int()),
});
const hits = z.array(hitSchema).describe("Rules that matched, shadow ones too; empty if none did");

/** The decision of a call that may run. */
export const ADMITTED = "admitted";
export const bucketSchema = z.enum(["calls", "discovery"]);

const base = { seq: z.int().min(1), at: z.int() };

export const attemptSchema = z.object({
  ...base,
  kind: z.literal("attempt"),
  target: z.enum(["tool", "resource", "prompt", "completion", "discovery", "request"]),
  name: z.string(),
  /** `admitted`, or the code of the refusal. */
  decision: z.string(),
  bucket: bucketSchema,
  /** The charge in its rate window; 0 if it was not charged. */
  weight: z.int().min(0),
  roles: z.array(z.string()),
  /** A keyed hash of the arguments: equal for equal arguments, and nobody without the key can test guesses against it. */
  digest: z.string(),
  /** As JSON, redacted by the policy. */
  arguments: z.string(),
  protocol: z.string(),
  client: z.string(),
  correlation_id: z.string(),
  /** The caller's own trace (src/telemetry/trace-context.ts); absent if none was sent, and in older records. */
  traceparent: z.string().optional(),
  tracestate: z.string().optional(),
  baggage: z.string().optional(),
  /** The flow detector's input (src/detection/event.ts); null if the call has no labels. */
  flow: z
    .object({
      classes: z.array(z.enum(DATA_CLASSES)).readonly(),
      kinds: z.array(z.enum(CALL_KINDS)).readonly(),
      cost: z.object({ records: z.int(), bytes: z.int() }),
      unnamed: z.object({ subject: z.boolean(), objects: z.int() }),
      ...touched,
      neighbourhoods: tokens,
      /** How much a write would change; absent if the call plans nothing, and in older records. */
      size: writeSizeSchema.optional(),
      /** Details by which the call looks for a person; absent in older records, and if the call names people by id. */
      details: z
        .array(z.object({ by: z.enum(DETAIL_KINDS), tokens }))
        .readonly()
        .exactOptional(),
      explains: z.boolean().exactOptional(),
    })
    .nullable(),
  /** Active products at the time, which some rules use. */
  catalog_size: z.int().min(0),
  hits,
});

export const outcomeSchema = z.object({
  ...base,
  kind: z.literal("outcome"),
  /** The attempt's seq. */
  attempt: z.int(),
  /** `ok`, or the code of the refusal that the call ended in. */
  outcome: z.string(),
  records: z.int().min(0),
  bytes: z.int().min(0),
  duration_ms: z.int().min(0),
  /** The flow detector's view of the answer; null if the call has no labels or ended without an answer. */
  flow: z
    .object({
      ...touched,
      missed: z.boolean(),
      /** Tokens of requested things that do not exist; absent if there are none, and in older records. */
      missing: tokens.optional(),
      /** Tokens of the details of people that the answer shows, and of the people whose reading it explains. */
      shown: tokens.exactOptional(),
      explained: tokens.exactOptional(),
      tainted: z.boolean(),
      canary: z.boolean(),
    })
    .nullable(),
  /** The refusal that replaced the answer; null if the answer was given. */
  withheld: z.string().nullable(),
  hits,
});

/** A person's possible decisions about an incident. */
export const INCIDENT_DECISIONS = ["released", "declined", "closed"] as const;
export type IncidentDecision = (typeof INCIDENT_DECISIONS)[number];
/** An admin's possible decisions about a caller. */
export const CALLER_DECISIONS = ["disabled", "enabled", "vouched"] as const;

/** A person's decision about this principal, such as letting work go on. */
export const decisionSchema = z.object({
  ...base,
  kind: z.literal("decision"),
  decision: z.enum([...INCIDENT_DECISIONS, ...CALLER_DECISIONS]),
  /** The rules that the decision is about. */
  rules: z.array(z.string()),
  incident: z.string().nullable(),
  /** The user's id, or `principal` if a form in the client was answered. */
  by: z.string(),
  /** When the release ends; the time of the decision if nothing was released. */
  until: z.int(),
  allowance: z.int(),
  /** A note for later readers; old records have none. */
  note: z.string().nullable().default(null),
});

/** The value of `by` if a form in the client was answered. Such a decision covers only the attempt that follows it. */
export const BY_FORM = "principal";

/** Returns the number of the one attempt that a decision let pass; undefined if the decision has a duration instead. */
export const releasedAttempt = ({ seq, decision, by }: z.output<typeof decisionSchema>): number | undefined =>
  decision === "released" && by === BY_FORM ? seq + 1 : undefined;

/**
 * A change to this principal's identity: its roles, keys, sign-ins and clients. A change that gives something is recorded
 * before it is made. No record holds a secret.
 */
export const changeSchema = z.object({
  ...base,
  kind: z.literal("change"),
  change: z.enum([
    "user_added",
    "user_deleted",
    "roles_set",
    "customer_set",
    "key_added",
    "key_revoked",
    "signing_key_added",
    "signing_key_revoked",
    "signed_in",
    "client_allowed",
    "client_ended",
    "refresh_repeated",
    "refresh_replayed",
  ]),
  /** The user's id, or `sign-on` if the sign-in provider and the policy now give other roles. */
  by: z.string(),
  /** The user's roles, or those that a new key is limited to; null if the change is not about roles. */
  roles: z.array(z.string()).nullable(),
  /** The key's id; null for a sign-in through the provider. */
  key: z.string().nullable(),
  /** The shop customer whose data the user owns. */
  customer: z.string().nullable(),
  /** The client's id, for changes to a client; clipped if it is a URL of the client's own. */
  client: z.string().optional(),
});

/** Repeats of the attempt `of` within its window: refusals of one code, or discovery calls of one method. */
export const repeatsSchema = z.object({
  ...base,
  kind: z.literal("repeats"),
  of: z.int(),
  decision: z.string(),
  bucket: bucketSchema,
  count: z.int().min(1),
  last_at: z.int(),
  /** The charges among them, as time and weight. */
  charges: z.array(z.tuple([z.int(), z.int()])),
});

export const recordSchema = z.discriminatedUnion("kind", [
  attemptSchema,
  outcomeSchema,
  repeatsSchema,
  decisionSchema,
  changeSchema,
]);
export type AuditRecord = z.output<typeof recordSchema>;
export type Attempt = z.output<typeof attemptSchema>;
/** The part of an attempt that its settlement needs. */
export type OpenAttempt = Pick<
  Attempt,
  "seq" | "at" | "name" | "digest" | "roles" | "correlation_id" | "flow"
>;
export type Outcome = z.output<typeof outcomeSchema>;
export type Repeats = z.output<typeof repeatsSchema>;
export type Change = Omit<z.output<typeof changeSchema>, "seq" | "at" | "kind">;
export type CallerDecision = (typeof CALLER_DECISIONS)[number];
export type Bucket = Attempt["bucket"];

/** A decision about this principal or a change to it, made outside its own calls. */
export type AdminEvent = Extract<AuditRecord, { kind: AdminEventKind }>;
type AdminEventKind = "decision" | "change";

export const isAdminEvent = <Each extends { kind: AuditRecord["kind"] }>(
  record: Each,
): record is Extract<Each, { kind: AdminEventKind }> =>
  record.kind === "decision" || record.kind === "change";

type WithoutPlace<Each> = Each extends AuditRecord ? Omit<Each, "seq" | "at"> : never;
/** A record before it is appended to a chain. */
export type Draft = WithoutPlace<AuditRecord>;
