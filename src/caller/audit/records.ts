import * as z from "zod";
import { RULE_VERDICTS } from "../../detection/rules.ts";
import { CALL_KINDS, DATA_CLASSES } from "../../detection/labels.ts";

// What the audit keeps of a call: an attempt before it runs and an outcome after it, in one chain per
// principal (src/caller/audit/chain.ts). A crash between the two leaves the attempt. Times are milliseconds
// since the epoch. A later release may have written more fields: they stay in the chain, and are passed over here.
// The rate window is rebuilt from these records; it is stored nowhere else.

const tokens = z.array(z.string()).readonly();
const touched = { subjects: tokens, objects: tokens };

/** What a rule saw (src/detection/decision.ts). Never told to the caller. */
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
const hits = z.array(hitSchema).describe("Rules that spoke, shadow ones too; empty where none did");

/** The decision on a call that runs. */
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
  /** What the flow detector saw (src/detection/event.ts); null where the call has no labels. */
  flow: z
    .object({
      classes: z.array(z.enum(DATA_CLASSES)).readonly(),
      kinds: z.array(z.enum(CALL_KINDS)).readonly(),
      cost: z.object({ records: z.int(), bytes: z.int() }),
      unnamed: z.object({ subject: z.boolean(), objects: z.int() }),
      ...touched,
      neighbourhoods: tokens,
    })
    .nullable(),
  /** Active products at the time, which some rules go by. */
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
  /** What the flow detector saw of the answer; null where the call has no labels, or ended without an answer. */
  flow: z
    .object({
      ...touched,
      missed: z.boolean(),
      /** What was asked for and does not exist, as tokens; absent for nothing, and in records of before it was counted by name. */
      missing: tokens.optional(),
      tainted: z.boolean(),
      canary: z.boolean(),
    })
    .nullable(),
  /** The refusal that the answer was withheld with; null where it was given. */
  withheld: z.string().nullable(),
  hits,
});

/** What a person may decide about an incident. */
export const INCIDENT_DECISIONS = ["released", "declined", "closed"] as const;
export type IncidentDecision = (typeof INCIDENT_DECISIONS)[number];
/** What an admin may do to a caller. */
export const CALLER_DECISIONS = ["disabled", "enabled", "vouched"] as const;

/** What a person decided about this principal, such as that work may go on. */
export const decisionSchema = z.object({
  ...base,
  kind: z.literal("decision"),
  decision: z.enum([...INCIDENT_DECISIONS, ...CALLER_DECISIONS]),
  /** Rules that it is about. */
  rules: z.array(z.string()),
  incident: z.string().nullable(),
  /** Who decided: a user's id, or `principal` where a form in the client was answered. */
  by: z.string(),
  /** When what was released is over; the moment itself where nothing was. */
  until: z.int(),
  allowance: z.int(),
  /** For whoever looks at it later; records of before there were notes have none. */
  note: z.string().nullable().default(null),
});

/** Stands in a decision's `by` where a form in the client was answered. Such a decision is about the attempt behind it alone. */
export const BY_FORM = "principal";

/** The attempt that a decision let pass, by its seq; undefined where it lets pass what follows until a time. */
export const releasedAttempt = ({ seq, decision, by }: z.output<typeof decisionSchema>): number | undefined =>
  decision === "released" && by === BY_FORM ? seq + 1 : undefined;

/** What was to be changed of who this principal is, what it signs in with and who acts for it. No record holds a secret. */
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
  ]),
  /** Who changed it: a user's id, or `sign-on` where the sign-in provider and the policy say other roles now. */
  by: z.string(),
  /** The user's, or what a new key narrows them to; null where nothing is said of them. */
  roles: z.array(z.string()).nullable(),
  /** The key's id; null for a sign-in by the provider. */
  key: z.string().nullable(),
  /** The customer of the shop whose data are the user's own. */
  customer: z.string().nullable(),
  /** Of what is done to a client: its id, clipped where it is a URL of the client's own. */
  client: z.string().optional(),
});

/** More refusals of one code within a window of the first, which is the attempt `of`. */
export const repeatsSchema = z.object({
  ...base,
  kind: z.literal("repeats"),
  of: z.int(),
  decision: z.string(),
  bucket: bucketSchema,
  count: z.int().min(1),
  last_at: z.int(),
  /** What of them was charged, and when. */
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
/** What its settlement has to know of an attempt. */
export type OpenAttempt = Pick<
  Attempt,
  "seq" | "at" | "name" | "digest" | "roles" | "correlation_id" | "flow"
>;
export type Outcome = z.output<typeof outcomeSchema>;
export type Repeats = z.output<typeof repeatsSchema>;
export type Change = Omit<z.output<typeof changeSchema>, "seq" | "at" | "kind">;
export type CallerDecision = (typeof CALLER_DECISIONS)[number];
export type Bucket = Attempt["bucket"];

/** What was decided about this principal or changed of it, by others than its own calls. */
export type Act = Extract<AuditRecord, { kind: ActKind }>;
type ActKind = "decision" | "change";

export const isAct = <Each extends { kind: AuditRecord["kind"] }>(
  record: Each,
): record is Extract<Each, { kind: ActKind }> => record.kind === "decision" || record.kind === "change";

type WithoutPlace<Each> = Each extends AuditRecord ? Omit<Each, "seq" | "at"> : never;
/** A record before it has its place in a chain. */
export type Draft = WithoutPlace<AuditRecord>;
