import * as z from "zod";
import { rulesSchema } from "../detection/rules.ts";
import { sayMissing } from "../validation/missing-message.ts";
import { signOnSchema } from "./sign-on.ts";

// The policy's schema, parsed once when an isolate starts. policy.schema.json is generated from it for editors.

/** Entries of one caller's rate windows. They bound the object's storage for a caller to 96 KiB. */
export const WINDOW_ENTRIES_MAX = 600;

/** A host name, or all below it. */
const IMAGE_HOST = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

const names = z.array(z.string().min(1).max(200)).max(200);

const limitSchema = z.strictObject({
  max: z.int().min(1).max(WINDOW_ENTRIES_MAX).describe("Weight admitted in any period of window_s"),
  window_s: z.int().min(1).max(3_600).describe("Seconds"),
});

const unguardedSchema = z.strictObject({
  per_caller: z.int().min(1).max(WINDOW_ENTRIES_MAX),
  per_isolate: z.int().min(1).max(10_000).describe("To all callers together"),
  window_s: z.int().min(1).max(86_400).describe("Seconds"),
});

const limitsSchema = z.strictObject({
  calls: limitSchema.describe("Tools, resources, prompts and completion"),
  discovery: limitSchema.describe(
    "initialize, server/discover and lists, which never use up the call budget",
  ),
});

/** An endpoint without authentication, named like its limit in the policy. */
export type Endpoint =
  | "register"
  | "register_network"
  | "authorize"
  | "sign-in"
  | "sign-on"
  | "token"
  | "signature"
  | "profile";

const daily = z.strictObject({
  max: limitSchema.shape.max,
  window_s: z.int().min(1).max(86_400).describe("Seconds"),
});
const perMinute = (max: number) => limitSchema.default({ max, window_s: 60 });
const perDay = (max: number) => daily.default({ max, window_s: 86_400 });

const unauthenticatedSchema = z
  .strictObject({
    register: perDay(200).describe("Clients that one address registers"),
    register_network: perDay(600).describe("Clients that one IPv6 /48 or IPv4 /24 registers"),
    authorize: perMinute(300).describe("Authorization requests of one address"),
    "sign-in": perMinute(120).describe("Access keys entered at one address"),
    "sign-on": perMinute(120).describe("Sign-ins at the provider that one address begins"),
    token: perMinute(60).describe("Client descriptions that are fetched for one address's token requests"),
    signature: perMinute(60).describe("Refused signatures of one address, which are all recorded"),
    profile: perMinute(20).describe(
      "Agents' profiles that are fetched for one address before its request is admitted: for its keys",
    ),
    token_requests: perMinute(30).describe("Token requests of one client for one grant, in one isolate"),
    failed_token_requests: perMinute(100).describe(
      "Token requests of one address that failed, in one isolate",
    ),
    failed_credentials: perMinute(100).describe(
      "Different keys and tokens of one address that were refused, in one isolate; session cookies likewise",
    ),
    answered_products: z
      .strictObject({
        max: z.int().min(1).max(1_000_000).describe("Products answered in any period of window_s"),
        window_s: z.int().min(1).max(86_400).describe("Seconds"),
        page: z.int().min(1).max(50).describe("Records of a page at most after that"),
      })
      .default({ max: 6_000, window_s: 3_600, page: 3 })
      .describe(
        "Products that one isolate answers to all anonymous callers together before their pages shrink",
      ),
    repeated_credential: perMinute(60).describe(
      "Requests with one refused key, token or session cookie, in one isolate",
    ),
  })
  .prefault({})
  .describe("Limits of unauthenticated requests; each purpose is counted separately");

const roleSchema = z.strictObject({
  scopes: names.describe("The most that a token of this role can be granted"),
  tools: names,
  resources: names.describe("URIs and URI templates"),
  prompts: names,
  customers: z
    .enum(["own", "all"])
    .optional()
    .describe(
      "Visible rows of the support desk: those of the caller's own customer id, or everybody's; absent: own",
    ),
  limits: limitsSchema.optional().describe("Replaces the limits of all roles"),
});

const shapeSchema = z.strictObject({
  $schema: z.string().optional(),
  roles: z
    .record(z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/), roleSchema)
    .describe(
      "Everything not named here is denied. A caller with several roles may use what any of them allows",
    ),
  limits: limitsSchema.describe("Limits of every role without its own"),
  unauthenticated: unauthenticatedSchema,
  agents: z
    .record(z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "must be a host name"), names.min(1))
    .default({})
    .describe(
      "Roles of shopping agents that sign with a key of their profile at this host. Each has limits of its own (docs/ucp.md)",
    ),
  weights: z
    .record(z.string(), z.int().min(1).max(WINDOW_ENTRIES_MAX))
    .describe("Weight of one call of a tool, resource or prompt; 1 if it is not named"),
  fail_open: z
    .strictObject({
      targets: names.describe("Tools, resources and prompts of public data; all others answer unavailable"),
      limit: limitSchema.describe("Calls of one caller that one isolate serves unguarded"),
      products: unguardedSchema
        .default({ per_caller: 200, per_isolate: 2_000, window_s: 3_600 })
        .describe("Products that one isolate serves unguarded"),
    })
    .describe("Still served while the caller's Durable Object cannot be reached"),
  redact: z
    .strictObject({
      except: z.record(z.string(), names).describe("Arguments that the audit keeps as they were sent"),
    })
    .describe("Every argument is redacted in the audit, except those named here"),
  ignored_arguments: z
    .array(z.string().min(1).max(100))
    .max(20)
    .default(["toolCallId", "sessionId", "wait_for_previous"])
    .describe("Arguments that known clients add to every call; they are dropped (docs/leniency.md)"),
  confirmation: z
    .strictObject({
      minutes: z.int().min(1).max(1_440).describe("Minutes that work may continue after a person agreed"),
      allowance: z
        .int()
        .min(0)
        .max(1_000)
        .describe("How far work may pass the limit, such as further people"),
    })
    .describe("What a person's confirmation allows"),
  rules: rulesSchema.describe("Flow rules: what many calls together must not do (docs/detection.md)"),
  sign_on: signOnSchema.describe("Maps people of the sign-in provider to users (docs/sign-on.md)"),
  local_role: z
    .string()
    .min(1)
    .max(32)
    .nullable()
    .describe("Role of clients over stdio on the same machine (docs/stdio.md); null allows nothing"),
  cards: z
    .strictObject({
      image_hosts: z
        .array(z.string().regex(IMAGE_HOST, "must be a host name, such as cdn.example.com or *.example.com"))
        .max(20)
        .describe("Hosts from which product cards load pictures, over https"),
    })
    .default({ image_hosts: [] })
    .describe("Cards that clients with MCP Apps show (docs/cards.md)"),
  retention: z.strictObject({
    audit_days: z.int().min(1).max(3_650).describe("Days after which a record of the audit is pruned"),
    changes_days: z
      .int()
      .min(7)
      .max(3_650)
      .default(90)
      .describe("Days after which a change of stock or of a ticket is deleted, with its idempotency key"),
    searches_days: z
      .int()
      .min(0)
      .max(30)
      .default(30)
      .describe("Days for which callers of each search are counted, without who they are; 0 counts none"),
  }),
});

export const policySchema = shapeSchema.superRefine((policy, context) => {
  const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
  const limits = [
    [["limits"], policy.limits] as const,
    ...Object.entries(policy.roles).flatMap(([role, { limits: own }]) =>
      own === undefined ? [] : [[["roles", role, "limits"], own] as const],
    ),
  ];
  const { mapping, default_role } = policy.sign_on;
  const given = [
    ...Object.entries(mapping).flatMap(([group, roles]) =>
      roles.map((role) => ({ path: ["sign_on", "mapping", group], role })),
    ),
    ...Object.entries(policy.agents).flatMap(([host, roles]) =>
      roles.map((role) => ({ path: ["agents", host], role })),
    ),
    { path: ["sign_on", "default_role"], role: default_role },
    { path: ["local_role"], role: policy.local_role },
  ];
  for (const { path, role } of given) {
    // Anonymous callers have their role without a user.
    if (role !== null && (!Object.hasOwn(policy.roles, role) || role === "anonymous"))
      refuse(path, `there is no role "${role}" to give`);
  }
  for (const [path, { calls, discovery }] of limits) {
    if (calls.max + discovery.max > WINDOW_ENTRIES_MAX) {
      refuse([...path], `calls and discovery together exceed the memory bound of ${WINDOW_ENTRIES_MAX}`);
    }
    for (const [name, weight] of Object.entries(policy.weights)) {
      if (weight > calls.max)
        refuse(["weights", name], `is above the limit of ${calls.max} at ${path.join(".")}`);
    }
  }
});

export type Policy = z.output<typeof shapeSchema>;
export type Limit = z.output<typeof limitSchema>;
export type Bucket = keyof z.output<typeof limitsSchema>;

/** A problem in a policy, with its path, such as `roles.support.limits.calls.max`. */
export interface PolicyProblem {
  path: string;
  reason: string;
}

export type ParsedPolicy = { ok: true; policy: Policy } | { ok: false; problems: PolicyProblem[] };

export function parsePolicy(json: unknown): ParsedPolicy {
  const parsed = policySchema.safeParse(json, { error: sayMissing });
  if (parsed.success) return { ok: true, policy: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) => ({
    path: path.map(String).join(".") || "(the whole)",
    reason: message,
  }));
  return { ok: false, problems };
}
