import * as z from "zod";
import { parseArguments } from "../validation/arguments.ts";
import { type Outcome, type Refusal, ok, refuse } from "../refusal.ts";
import { clip, plainLine } from "../text/plain-text.ts";
import { BATCH_MAX } from "../caller/admission.ts";

/** Bytes of a request's body: room for a batch of 100 calls, far less than the edge allows. */
export const BODY_MAX = 1024 * 1024;
/** JSON nested deeper than this is refused, because recursive validation could exhaust the stack. */
const DEPTH_MAX = 64;
const CLIENT_MAX = 100;
const META = "io.modelcontextprotocol/";

// JSON-RPC 2.0, section 4. The SDK accepts everything that passes here. Whatever it would refuse in its own words is
// refused here, with a row of the table.
const messageSchema = z
  .strictObject({
    jsonrpc: z.literal("2.0"),
    id: z.union([z.string().max(200), z.int()]).optional(),
    method: z.string().max(200).optional(),
    params: z.looseObject({ _meta: z.record(z.string(), z.unknown()).optional() }).optional(),
    result: z.looseObject({}).optional(),
    error: z.strictObject({ code: z.int(), message: z.string(), data: z.unknown().optional() }).optional(),
  })
  .refine(isWhole);
export type Message = z.output<typeof messageSchema>;
const bodySchema = z.union([
  messageSchema.transform((message) => [message]),
  z
    .array(messageSchema)
    .min(1)
    .max(BATCH_MAX)
    .refine((batch) => batch.length === 1 || batch.every(({ method }) => method !== "initialize")),
]);

/** Returns whether the message is exactly one of request, notification and response. */
function isWhole(message: {
  [Member in "id" | "method" | "params" | "result" | "error"]?: unknown;
}): boolean {
  const { id, method, params, result, error } = message;
  if (method !== undefined) return result === undefined && error === undefined;
  return id !== undefined && params === undefined && (result === undefined) !== (error === undefined);
}

const initializeSchema = z.looseObject({
  protocolVersion: z.string(),
  capabilities: z.looseObject({}),
  clientInfo: z.looseObject({ name: z.string(), version: z.string() }),
});

export function parseJson(text: string): Outcome<unknown> {
  try {
    return ok(JSON.parse(text));
  } catch {
    return refuse("malformed_request", "The body is not JSON.");
  }
}

export function readMessages(body: unknown): Outcome<Message[]> {
  const unsafe = unsafeShape(body);
  if (unsafe !== undefined) return refuse("malformed_request", unsafe);
  const messages = bodySchema.safeParse(body);
  if (!messages.success)
    return refuse("malformed_request", "The body is not JSON-RPC 2.0 with params that are an object.");
  const ids = messages.data.flatMap(({ id, method }) =>
    id === undefined || method === undefined ? [] : [id],
  );
  // The SDK would run all of them and answer only one.
  if (new Set(ids).size < ids.length)
    return refuse("malformed_request", "Two requests in the batch have the same id.");
  return ok(messages.data);
}

const notificationSchema = z.object({
  jsonrpc: z.literal("2.0"),
  method: z.string(),
  id: z.undefined().optional(),
});
const isNotification = (message: unknown): boolean => notificationSchema.safeParse(message).success;

/**
 * Empties the notifications of a body, because one is accepted whatever is in it. They stay in their places, by which
 * the calls of a batch are named.
 */
export function emptyNotifications(body: unknown): unknown {
  const emptied = (message: unknown) =>
    isNotification(message) ? { jsonrpc: "2.0", method: "notifications/any" } : message;
  return Array.isArray(body) ? body.map(emptied) : emptied(body);
}

/**
 * Returns a body without its notifications; undefined if nothing is left. None changes anything here, because each
 * request has a server of its own. A cancellation could only reach a call of the same batch, and the SDK would then wait
 * for that call's answer forever.
 */
export function withoutNotifications(body: unknown): unknown {
  if (!Array.isArray(body)) return isNotification(body) ? undefined : body;
  const kept = body.filter((message) => !isNotification(message));
  return kept.length === 0 ? undefined : kept;
}

const NO_HANDSHAKE = refuse("unknown_method", "This protocol revision has no initialize.").refusal;

/** Refuses methods that the SDK would otherwise refuse in its own words. */
export function checkMethod({ method, params }: Message): Refusal | undefined {
  if (method === "initialize") {
    // 2026-07-28 has no handshake; its messages carry their version.
    if (params?._meta?.[`${META}protocolVersion`] !== undefined) return NO_HANDSHAKE;
    const parsed = parseArguments(initializeSchema, params);
    return parsed.ok ? undefined : parsed.refusal;
  }
  // There is nothing to subscribe to: lists change with a deployment, and data is read on request.
  if (method === "subscriptions/listen") {
    return refuse("unknown_method", "This server has no subscriptions.").refusal;
  }
  return undefined;
}

const infoSchema = z.object({ name: z.string(), version: z.string() });

/** Returns the client's description of itself for the audit. It is cleaned, cut and never trusted. */
export function describeClient({ headers }: Request, [message]: readonly Message[]) {
  const meta = message?.params?._meta;
  const info = infoSchema.safeParse(meta?.[`${META}clientInfo`] ?? message?.params?.["clientInfo"]);
  const client = info.success
    ? `${info.data.name}/${info.data.version}`
    : readHeaderText(headers.get("user-agent") ?? "");
  const version = headers.get("mcp-protocol-version") ?? message?.params?.["protocolVersion"];
  return {
    client: clip(plainLine(client), CLIENT_MAX),
    protocol: typeof version === "string" && /^\d{4}-\d{2}-\d{2}$/.test(version) ? version : "unsaid",
  };
}

/** Decodes text that a header could not carry as it is (MCP 2026-07-28, Streamable HTTP, value encoding). */
function readHeaderText(value: string): string {
  const [, encoded] = /^=\?base64\?(.*)\?=$/.exec(value) ?? [];
  return encoded === undefined ? value : Buffer.from(encoded, "base64").toString("utf8");
}

/**
 * Returns why a body is unsafe to validate, or undefined. Works without recursion, which deep nesting would exhaust.
 * Zod compares `length` before it knows that a value is a string or an array, and throws for an object whose toString
 * or valueOf is not a function: {"length":{"toString":1}}. It ignores a member named __proto__, which is then no unknown
 * argument.
 */
function unsafeShape(root: unknown): string | undefined {
  let level = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) return `The body is nested deeper than ${DEPTH_MAX} levels.`;
    const objects = level.filter((value) => typeof value === "object" && value !== null);
    if (objects.some((value) => UNSAFE_NAMES.some((name) => Object.hasOwn(value, name))))
      return `The body has a member with one of these names: ${UNSAFE_NAMES.join(", ")}.`;
    level = objects.flatMap((value): unknown[] => Object.values(value));
  }
  return undefined;
}
const UNSAFE_NAMES = ["toString", "valueOf", "__proto__"];
