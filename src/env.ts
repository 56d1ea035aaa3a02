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

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;
const optionalUrl = z
  .union([
    z.literal("").transform(() => undefined),
    z
      .url({ protocol: /^https?$/ })
      .refine((url) => url.startsWith("https:") || LOOPBACK.test(new URL(url).hostname), "is not https"),
  ])
  .optional();

const settingsSchema = z
  .object({
    /** Exactly the URL that clients use, without a path: `https://catalog.example.com`. */
    PUBLIC_URL: z
      .union([z.literal("").transform(() => undefined), z.url({ protocol: /^https?$/ })])
      .optional(),
    /** More host names that this Worker answers to, separated by commas or spaces. */
    ALLOWED_HOSTS: hostnames,
    /** Host names of web pages whose scripts may call the Worker, separated by commas or spaces. */
    ALLOWED_ORIGINS: hostnames,
    /** SECRET_KEY_MIN bytes or more; hashes what must be told apart and not be known. There is none by default. */
    SECRET_KEY: z.string().optional(),
    /** "on" serves the catalog to anyone at /mcp/public. */
    PUBLIC_CATALOG: z.enum(["on", "off"]).default("off"),
    /** "off" asks for a token on this machine too, as everywhere else. */
    LOCAL_ANONYMOUS: z.enum(["on", "off"]).default("on"),
    /** Milliseconds a tool, resource or prompt may take before it is answered with `timeout`. */
    CALL_DEADLINE_MS: z.coerce.number().int().min(1).max(25_000).default(5_000),
    /** Where incidents are told, signed as Standard Webhooks says: https, or http on this machine. */
    INCIDENT_WEBHOOK_URL: optionalUrl,
    /** `whsec_` and 24 bytes or more in base64; what receivers check the signature with. */
    INCIDENT_WEBHOOK_SECRET: z
      .union([
        z.literal("").transform(() => undefined),
        z.string().regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, "is whsec_ and 24 bytes or more in base64"),
      ])
      .optional(),
  })
  .refine(
    ({ INCIDENT_WEBHOOK_URL, INCIDENT_WEBHOOK_SECRET }) =>
      (INCIDENT_WEBHOOK_URL === undefined) === (INCIDENT_WEBHOOK_SECRET === undefined),
    "INCIDENT_WEBHOOK_URL and INCIDENT_WEBHOOK_SECRET go together",
  );

/** Bytes; a shorter SECRET_KEY counts as none. */
export const SECRET_KEY_MIN = 32;

export type Settings = z.output<typeof settingsSchema>;

/** Reads the Worker's variables; throws with the names of those that are wrong. */
export function readSettings(env: Env): Settings {
  const parsed = settingsSchema.safeParse(env);
  if (!parsed.success) throw new Error(`Settings: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
