import { randomUUID } from "node:crypto";
import * as z from "zod";
import { BODY_MAX } from "../../src/mcp/messages.ts";
import { refusalError, refuse } from "../../src/refusal.ts";
import { type RefusalCode } from "../../src/refusal-codes.ts";
import { headerText, headersFor, messagesOf } from "../mcp-message.ts";
import { parseJson } from "../read-file.ts";
import { type Answer, type Call, UnreachableError } from "./call.ts";

/**
 * Most bytes of a line. A line too large for the server is still read up to here, so that it can be refused
 * by its id.
 */
export const LINE_MAX = 8 * BODY_MAX;

/** Only ids that JSON carries exactly; an answer to another one would have a different id. */
const idSchema = z.union([z.string(), z.int()]);
type Id = z.output<typeof idSchema>;

const requestSchema = z.object({ id: idSchema, method: z.string() }).transform(({ id }) => id);
const cancelSchema = z
  .object({ method: z.literal("notifications/cancelled"), params: z.object({ requestId: idSchema }) })
  .transform(({ params }) => params.requestId);
const initializeSchema = z.object({
  method: z.literal("initialize"),
  params: z
    .object({ clientInfo: z.object({ name: z.string(), version: z.string() }).optional().catch(undefined) })
    .catch({}),
});
const initializedSchema = z
  .object({ result: z.object({ protocolVersion: z.string() }) })
  .transform(({ result }) => result.protocolVersion);
/** A refusal of the whole body without an id; over HTTP the response itself shows whose it is. */
const unaddressedSchema = z.looseObject({ id: z.null(), error: z.looseObject({}) });

/**
 * Carries lines of JSON-RPC (MCP, stdio transport) to a server's HTTP endpoint, as a client of each protocol
 * era would. The returned function takes one line, or undefined for a line beyond LINE_MAX, and resolves when
 * it is answered; several may run at once. The SDK's own stdio transport does not fit: it drops lines that
 * are not JSON, does not support batches, and closes at a line too long.
 */
export function createBridge(
  call: Call,
  write: (message: unknown) => Promise<void>,
): (line: string | undefined) => Promise<void> {
  const inFlight = new Map<Id, AbortController>();
  /** The version that `initialize` negotiated. Later requests of the 2025 revisions send it in a header. */
  let version: Promise<string | undefined> = Promise.resolve(undefined);
  /** How the client named itself in `initialize`; its later requests on the 2025 revisions don't say it. */
  let client: Record<string, string> = {};

  return async (line) => {
    if (line === undefined) return write(refusal("request_too_large", null));
    if (line.trim() === "") return undefined;
    const body = parseJson(line);
    const messages = [body].flat();
    if (messages.length > 0 && messages.every(isUnanswered)) return cancel(messages);
    cancel(messages);
    const ids = messages.flatMap((message) => requestSchema.safeParse(message).data ?? []);
    const respond = (answers: unknown[]) =>
      Array.isArray(body) && answers.length > 0 ? write(answers) : each(answers, write);
    const refuseAll = (code: keyof typeof REFUSAL_TEXTS) =>
      ids.length === 0 ? write(refusal(code, null)) : respond(ids.map((id) => refusal(code, id)));
    if (Buffer.byteLength(line) > BODY_MAX) return refuseAll("request_too_large");

    const control = new AbortController();
    for (const id of ids) inFlight.set(id, control);
    try {
      const answer = await sendLine(line, body, control.signal);
      if (control.signal.aborted) return undefined;
      const answers = messagesOf(answer.contentType, answer.text);
      if (answers.length === 0 && ids.length > 0) return await refuseAll("unavailable");
      const [only] = ids;
      const whole = unaddressedSchema.safeParse(answers[0]);
      if (!whole.success) return await respond(answers);
      return await write({ ...whole.data, id: Array.isArray(body) ? null : (only ?? null) });
    } catch (error) {
      if (control.signal.aborted) return undefined;
      if (!(error instanceof UnreachableError)) throw error;
      return await refuseAll("unavailable");
    } finally {
      for (const id of ids) if (inFlight.get(id) === control) inFlight.delete(id);
    }
  };

  async function sendLine(line: string, body: unknown, signal: AbortSignal): Promise<Answer> {
    const headers = headersFor(line);
    if (headers["mcp-protocol-version"] !== undefined) return call(line, headers, signal);
    const opening = initializeSchema.safeParse(body);
    if (opening.success) {
      const { clientInfo } = opening.data.params;
      client =
        clientInfo === undefined
          ? {}
          : { "user-agent": headerText(`${clientInfo.name}/${clientInfo.version}`) };
      const answer = call(line, headers, signal);
      version = answer.then(versionIn, () => undefined);
      return answer;
    }
    const settled = await version;
    const named = { ...headers, ...client };
    return call(line, settled === undefined ? named : { ...named, "mcp-protocol-version": settled }, signal);
  }

  function cancel(messages: unknown[]): void {
    for (const id of messages.flatMap((message) => cancelSchema.safeParse(message).data ?? []))
      inFlight.get(id)?.abort();
  }
}

/**
 * Notifications and responses change nothing at the server and are never answered, so they do not leave this process.
 */
const isUnanswered = (message: unknown): boolean => unansweredSchema.safeParse(message).success;
const unansweredSchema = z.union([
  z.object({ method: z.string(), id: z.undefined().optional() }),
  z.object({ method: z.undefined().optional(), result: z.looseObject({}) }),
  z.object({ method: z.undefined().optional(), error: z.looseObject({}) }),
]);

const versionIn = ({ contentType, text }: Answer): string | undefined =>
  initializedSchema.safeParse(messagesOf(contentType, text)[0]).data;

const REFUSAL_TEXTS = {
  request_too_large: `The message is larger than ${BODY_MAX} bytes.`,
  unavailable: "The server did not answer.",
} satisfies Partial<Record<RefusalCode, string>>;

function refusal(code: keyof typeof REFUSAL_TEXTS, id: Id | null) {
  const {
    code: number,
    message,
    data,
  } = refusalError(refuse(code, REFUSAL_TEXTS[code]).refusal, randomUUID());
  return { jsonrpc: "2.0", id, error: { code: number, message, data } };
}

async function each(messages: unknown[], write: (message: unknown) => Promise<void>): Promise<void> {
  for (const message of messages) await write(message);
}
