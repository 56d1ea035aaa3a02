import { type CallToolResult, ProtocolError } from "@modelcontextprotocol/server";
import { type RefusalCode, refusals } from "./refusal-codes.ts";
import { oneLine } from "./text/json-line.ts";

/** An expected "no". The caller sees `message`, so it contains no SQL, stack, internal field or rule. */
export interface Refusal {
  code: RefusalCode;
  message: string;
  retryAfterMs?: number;
  /** Facts that help the caller to correct itself, such as the nearest SKUs. */
  hints?: Record<string, string[]>;
  /** Ids that were requested and do not exist, for the guard only. */
  missing?: readonly string[];
  /**
   * For a confirmation: the page where a person decides, whether a form in the client is enough, and when it was
   * requested.
   */
  confirm?: { url: string; form: boolean; askedAt: number };
}

export type Outcome<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

export const ok = <T>(value: T): Outcome<T> => ({ ok: true, value });

export const refuse = (
  code: RefusalCode,
  message: string,
  rest: Omit<Refusal, "code" | "message"> = {},
): { ok: false; refusal: Refusal } => ({ ok: false, refusal: { code, message, ...rest } });

/** Key of the details in a tool result's `_meta`. */
export const REFUSAL_META_KEY = "product-catalog-mcp/refusal";

/** Writes a refusal as a tool result. It has no `structuredContent`, so no client reports a schema mismatch. */
export function refusalResult(refusal: Refusal, correlationId: string): CallToolResult {
  return {
    isError: true,
    content: [{ type: "text", text: sentence(refusal, correlationId) }],
    _meta: { [REFUSAL_META_KEY]: refusalDetails(refusal, correlationId) },
  };
}

/** Writes a refusal as a JSON-RPC error. */
export function refusalError(refusal: Refusal, correlationId: string): ProtocolError {
  return new ProtocolError(
    refusals[refusal.code].jsonRpc,
    sentence(refusal, correlationId),
    refusalDetails(refusal, correlationId),
  );
}

/**
 * Writes a refusal over HTTP, before any call is dispatched. `id` is that of the one message at fault, if there is one;
 * `jsonRpc` replaces the table's code.
 */
export function refusalResponse(
  refusal: Refusal,
  correlationId: string,
  { id, jsonRpc }: { id?: string | number | undefined; jsonRpc?: number } = {},
): Response {
  const error = {
    code: jsonRpc ?? refusals[refusal.code].jsonRpc,
    message: sentence(refusal, correlationId),
    data: refusalDetails(refusal, correlationId),
  };
  const { http: status } = refusals[refusal.code];
  const headers = refusalHeaders(refusal);
  headers.set("Content-Type", "application/json");
  // The id is the client's text.
  const body = oneLine(JSON.stringify({ jsonrpc: "2.0", id: id ?? null, error }));
  return new Response(body, { status, headers });
}

/** Returns the headers of a response that is a refusal. */
export function refusalHeaders({ code, retryAfterMs }: Refusal): Headers {
  const headers = new Headers();
  if (retryAfterMs !== undefined) headers.set("Retry-After", retryAfterSeconds(retryAfterMs));
  // RFC 9110, section 15.5.2.
  if (refusals[code].http === 401) headers.set("WWW-Authenticate", "Bearer");
  return headers;
}

/** Converts to the whole seconds of a Retry-After header (RFC 9110, section 10.2.3). */
export const retryAfterSeconds = (milliseconds: number): string => String(Math.ceil(milliseconds / 1000));

function sentence({ code, message }: Refusal, correlationId: string): string {
  return `${message} ${refusals[code].next} (${code}, reference ${correlationId})`;
}

/** Returns the machine-readable part of a refusal. */
export function refusalDetails({ code, retryAfterMs, hints }: Refusal, correlationId: string) {
  return {
    code,
    retryable: refusals[code].retryable,
    next: refusals[code].next,
    correlationId,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(hints !== undefined && { hints }),
  };
}
