import * as z from "zod";

// How release 0.1.0 read what it had stored, kept as it was: a test reads what later code has stored by it, as that release
// would after a rollback. Never change it; a later release has a folder of its own.

const DATA_CLASSES = ["identity", "contact", "orders", "payment", "catalog"] as const;
const CALL_KINDS = ["source", "write", "sink"] as const;
const INCIDENT_DECISIONS = ["released", "declined", "closed"] as const;

const tokens = z.array(z.string());
const touched = { subjects: tokens, objects: tokens };
const hits = z.array(
  z.strictObject({
    rule: z.string(),
    version: z.int(),
    mode: z.enum(["shadow", "enforce"]),
    verdict: z.enum(["allow", "flag", "throttle", "confirm", "block"]),
    observed: z.number(),
    threshold: z.number(),
    window: z.number(),
    events: z.array(z.int()),
  }),
);
const bucket = z.enum(["calls", "discovery"]);
const base = { seq: z.int().min(1), at: z.int() };

const record = z.discriminatedUnion("kind", [
  z.strictObject({
    ...base,
    kind: z.literal("attempt"),
    target: z.enum(["tool", "resource", "prompt", "completion", "discovery", "request"]),
    name: z.string(),
    decision: z.string(),
    bucket,
    weight: z.int().min(0),
    roles: z.array(z.string()),
    digest: z.string(),
    arguments: z.string(),
    protocol: z.string(),
    client: z.string(),
    correlation_id: z.string(),
    flow: z
      .strictObject({
        classes: z.array(z.enum(DATA_CLASSES)),
        kinds: z.array(z.enum(CALL_KINDS)),
        cost: z.strictObject({ records: z.int(), bytes: z.int() }),
        unnamed: z.strictObject({ subject: z.boolean(), objects: z.int() }),
        ...touched,
        neighbourhoods: tokens,
      })
      .nullable(),
    catalog_size: z.int().min(0),
    hits,
  }),
  z.strictObject({
    ...base,
    kind: z.literal("outcome"),
    attempt: z.int(),
    outcome: z.string(),
    records: z.int().min(0),
    bytes: z.int().min(0),
    duration_ms: z.int().min(0),
    flow: z
      .strictObject({ ...touched, missed: z.boolean(), tainted: z.boolean(), canary: z.boolean() })
      .nullable(),
    withheld: z.string().nullable(),
    hits,
  }),
  z.strictObject({
    ...base,
    kind: z.literal("repeats"),
    of: z.int(),
    decision: z.string(),
    bucket,
    count: z.int().min(1),
    last_at: z.int(),
    charges: z.array(z.tuple([z.int(), z.int()])),
  }),
  z.strictObject({
    ...base,
    kind: z.literal("decision"),
    decision: z.enum([...INCIDENT_DECISIONS, "disabled", "enabled"]),
    rules: z.array(z.string()),
    incident: z.string().nullable(),
    by: z.string(),
    until: z.int(),
    allowance: z.int(),
    note: z.string().nullable().default(null),
  }),
  z.strictObject({
    ...base,
    kind: z.literal("change"),
    change: z.enum([
      "user_added",
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
    by: z.string(),
    roles: z.array(z.string()).nullable(),
    key: z.string().nullable(),
    customer: z.string().nullable(),
    client: z.string().optional(),
  }),
]);

const head = z.object({ seq: z.int(), hash: z.string() });
const state = z.object({
  principal: z.string(),
  startedAt: z.int(),
  checkpoint: head,
  anchored: z.object({ seq: z.int(), at: z.int() }),
  retentionMs: z.int(),
  prunedAt: z.int(),
});

const run = z.object({
  of: z.int(),
  decision: z.string(),
  bucket,
  until: z.int(),
  count: z.int(),
  lastAt: z.int(),
  charges: z.object({ times: z.array(z.int()), weights: z.array(z.int()) }),
});

const incident = z.object({
  id: z.string(),
  principal: z.string(),
  rule: z.string(),
  rule_version: z.int(),
  verdict: z.enum(["flag", "throttle", "confirm", "block"]),
  severity: z.enum(["low", "medium", "high", "critical"]),
  tool: z.string(),
  observed: z.number(),
  threshold: z.number(),
  window_ms: z.number(),
  events: z.array(z.int()),
  first_at: z.int(),
  last_at: z.int(),
  count: z.int(),
  status: z.enum(["open", ...INCIDENT_DECISIONS]),
  decided_by: z.string().nullable(),
  decided_at: z.int().nullable(),
  note: z.string().nullable(),
});

const time = z.number().nonnegative();
const numbers = z.array(z.number());
/** By the beginning of their keys. A row of another beginning was passed over. */
const flowRows: [prefix: string, schema: z.ZodType][] = [
  ["c:", z.array(z.tuple([z.string(), numbers]))],
  ["pd:", z.tuple([z.int().nonnegative()], z.int().nonnegative())],
  ["pm:", z.tuple([z.int().nonnegative()], z.int().nonnegative())],
  ["evicted:", numbers],
  ["m:taint", z.object({ at: z.number(), attempt: z.int() })],
  [
    "m:block",
    z.object({
      at: z.number(),
      until: z.number(),
      rule: z.string(),
      version: z.int(),
      observed: z.number(),
      threshold: z.number(),
      window: z.number(),
      events: z.array(z.int()),
    }),
  ],
  ["m:", numbers],
  ["n:", z.object({ seen: z.number(), ids: z.array(z.int()) })],
  [
    "r:",
    z.strictObject({
      rule: z.string(),
      subject: z.string().nullable(),
      at: z.number(),
      until: z.number(),
      allowance: z.int().nonnegative(),
    }),
  ],
  [
    "f:",
    z.object({
      at: z.number(),
      tool: z.string(),
      roles: z.array(z.string()),
      classes: z.array(z.enum(DATA_CLASSES)),
      kinds: z.array(z.enum(CALL_KINDS)),
      subjects: tokens,
      cost: z.object({ records: z.number(), bytes: z.number() }),
      unnamed: z.object({ subject: z.boolean(), objects: z.number() }),
    }),
  ],
  [
    "s:",
    z.object({
      seen: time,
      attempt: z.int(),
      gathered: z.array(time).length(4),
      starts: z.record(z.string(), z.array(time)),
    }),
  ],
];

const text = z.object({ text: z.string() });
const jsonOf = (row: unknown): unknown => JSON.parse(text.parse(row).text);

const nonce = z.object({ key_id: z.string(), nonce: z.string(), expires_at: z.int() });

/** Why release 0.1.0 could not read a row of a caller's object; undefined where it could, or never looked at such rows. */
export function unreadable(table: string, row: unknown): z.ZodError | undefined {
  switch (table) {
    case "records":
      return record.safeParse(jsonOf(row)).error;
    case "state":
      return state.safeParse(jsonOf(row)).error;
    case "runs":
      return run.safeParse(jsonOf(row)).error;
    case "incidents":
      return (
        z.object({ told: z.enum(["nobody", "database", "everybody"]) }).safeParse(row).error ??
        incident.safeParse(jsonOf(row)).error
      );
    case "nonces":
      return nonce.safeParse(row).error;
    case "flow_state": {
      const { key } = z.object({ key: z.string() }).parse(row);
      const schema = flowRows.find(([prefix]) => key.startsWith(prefix))?.[1];
      return schema?.safeParse(jsonOf(row)).error;
    }
    default:
      return undefined;
  }
}
