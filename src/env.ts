import * as z from "zod";

const hostnames = z
  .string()
  .default("")
  .transform((list) =>
    list
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((name) => name !== ""),
  );

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Accepts issuers as OpenID Connect Discovery 1.0, section 3 defines them: https without a query; also http on
 * loopback.
 */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash, username, password } = new URL(text);
  const isOpen = protocol === "https:" || (protocol === "http:" && LOOPBACK.has(hostname));
  return isOpen && search + hash + username + password === "";
}

const issuer = z
  .string()
  .refine(isIssuer, "must be an https URL without a query; http is allowed only on this machine");

/** An empty setting counts as not set. */
const optional = z
  .string()
  .optional()
  .transform((text) => (text === "" ? undefined : text));

/** Bytes. */
const SECRET_KEY_MIN = 32;
const isLongEnough = (key: string): boolean => new TextEncoder().encode(key).length >= SECRET_KEY_MIN;
const secretKey = optional.pipe(
  z.string().refine(isLongEnough, `must have at least ${SECRET_KEY_MIN} bytes`).optional(),
);

/** Accepts https, and http on loopback. */
function isWebhook(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.has(hostname));
}

const webhookUrl = z.string().refine(isWebhook, "must be an https URL; http is allowed only on this machine");

const webhookSecret = optional.pipe(
  z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, "must be whsec_ and at least 24 bytes in base64")
    .optional(),
);

const METRICS_TOKEN_MIN = 20;

const settingsSchema = z.object({
  /** Exactly the URL that clients use, without a path: `https://catalog.example.com`. */
  PUBLIC_URL: z.union([z.literal("").transform(() => undefined), z.url({ protocol: /^https?$/ })]).optional(),
  /** More host names that this Worker answers to, separated by commas or spaces. */
  ALLOWED_HOSTS: hostnames,
  /** Host names of web pages whose scripts may call the Worker, separated by commas or spaces. */
  ALLOWED_ORIGINS: hostnames,
  /**
   * Keys the hashes that stand for ids and addresses, and the HMAC signing keys. It replaces the key that the server makes for
   * itself (src/setup/secret-key.ts).
   */
  SECRET_KEY: secretKey,
  /** "on" serves the catalog to anyone at /mcp/public. */
  PUBLIC_CATALOG: z.enum(["on", "off"]).default("off"),
  /** "off" requires a token on a developer's machine too. */
  LOCAL_ANONYMOUS: z.enum(["on", "off"]).default("on"),
  /** Milliseconds that a request may take. After that it is answered with `timeout`. */
  CALL_DEADLINE_MS: z.coerce.number().int().min(1).max(25_000).default(5_000),
  /**
   * The same for requests that may contact another server: the sign-in provider, or the one where an OAuth client
   * describes itself.
   */
  OUTBOUND_DEADLINE_MS: z.coerce.number().int().min(1).max(25_000).default(10_000),
  /** The OpenID Connect provider for single sign-on, and this server's credentials there: docs/sign-on.md. */
  OIDC_ISSUER: optional.pipe(issuer.optional()),
  OIDC_CLIENT_ID: optional,
  OIDC_CLIENT_SECRET: optional,
  /**
   * "on" exchanges assertions of that provider (ID-JAG) for tokens, without a consent page here:
   * docs/sign-on.md#enterprise-managed-authorization.
   */
  ENTERPRISE_AUTHORIZATION: z.enum(["on", "off"]).default("off"),
  /**
   * "off" on a server without a way out: clients then register, instead of naming an address from which this server would
   * fetch their description (Client ID Metadata Documents).
   */
  CLIENT_METADATA_DOCUMENTS: z.enum(["on", "off"]).default("on"),
  /** Receives incidents, signed as Standard Webhooks defines: https, or http on this machine. */
  INCIDENT_WEBHOOK_URL: optional.pipe(webhookUrl.optional()),
  /** `whsec_` and 24 bytes or more in base64; receivers check the signature with it. */
  INCIDENT_WEBHOOK_SECRET: webhookSecret,
  /** The same for stock that another system sends to /webhooks/stock, which does not exist without it: docs/writes.md. */
  STOCK_WEBHOOK_SECRET: webhookSecret,
  /** The bearer token that a scraper of /metrics sends. Without it, /metrics does not exist. */
  METRICS_TOKEN: optional.pipe(
    z.string().min(METRICS_TOKEN_MIN, `must have at least ${METRICS_TOKEN_MIN} characters`).optional(),
  ),
});

/** Settings that work only together. */
const TOGETHER = {
  "single sign-on": ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"],
  "the incident webhook": ["INCIDENT_WEBHOOK_URL", "INCIDENT_WEBHOOK_SECRET"],
} as const;

const wholeSettingsSchema = settingsSchema.superRefine((settings, context) => {
  for (const [what, names] of Object.entries(TOGETHER)) {
    const missing = names.filter((name) => settings[name] === undefined);
    if (missing.length === 0 || missing.length === names.length) continue;
    const message = `is missing: ${what} needs all of ${names.join(", ")}, or none`;
    for (const name of missing) context.addIssue({ code: "custom", path: [name], message });
  }
  const { ENTERPRISE_AUTHORIZATION, OIDC_ISSUER } = settings;
  // The OAuth library fetches the keys of assertions only over https.
  if (ENTERPRISE_AUTHORIZATION === "on" && OIDC_ISSUER?.startsWith("https:") !== true)
    context.addIssue({
      code: "custom",
      path: ["ENTERPRISE_AUTHORIZATION"],
      message: "needs single sign-on with an OIDC_ISSUER that is an https URL",
    });
});

export type Settings = z.output<typeof wholeSettingsSchema>;

export interface SettingProblem {
  setting: string;
  /** Never contains the value. */
  reason: string;
}

export type ReadSettings = { ok: true; settings: Settings } | { ok: false; problems: SettingProblem[] };

const NAMES = Object.keys(settingsSchema.shape);
let latest: { values: unknown[]; read: ReadSettings } | undefined;

/** Reads and checks the Worker's variables. Checks them again only if they have changed. */
export function readSettings(env: object): ReadSettings {
  const values = NAMES.map((name): unknown => Reflect.get(env, name));
  if (latest?.values.every((value, index) => value === values[index]) !== true)
    latest = { values, read: checkSettings(env) };
  return latest.read;
}

function checkSettings(env: object): ReadSettings {
  const parsed = wholeSettingsSchema.safeParse(env);
  if (parsed.success) return { ok: true, settings: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) => ({
    setting: path.join("."),
    reason: message,
  }));
  return { ok: false, problems };
}

/**
 * Returns the setting SECRET_KEY of a Worker's or an object's variables; undefined if it is not set. Throws if it is too short,
 * even while another setting is invalid.
 */
export const secretSetting = (env: object): string | undefined =>
  secretKey.parse(Reflect.get(env, "SECRET_KEY"));

export interface SignOnSettings {
  issuer: string;
  clientId: string;
  clientSecret: string;
}

/** Returns the settings of single sign-on; undefined if it is off. */
export function signOnSettings(settings: Settings): SignOnSettings | undefined {
  const { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET } = settings;
  if (OIDC_ISSUER === undefined || OIDC_CLIENT_ID === undefined || OIDC_CLIENT_SECRET === undefined)
    return undefined;
  return { issuer: OIDC_ISSUER, clientId: OIDC_CLIENT_ID, clientSecret: OIDC_CLIENT_SECRET };
}
