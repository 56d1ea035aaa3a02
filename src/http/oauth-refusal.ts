import * as z from "zod";
import type { AppContext } from "../app-types.ts";
import { type Refusal, refusalDetails, refusalHeaders, refusalResponse } from "../refusal.ts";
import { type RefusalCode, refusals } from "../refusal-codes.ts";
import { requestRefused } from "../telemetry/sink.ts";

// Refusals at the OAuth endpoints. Their clients read `error` as RFC 6749 (5.2), RFC 6750 (3.1) and RFC 7591 (3.2.2)
// define it.

/** Writes a refusal of this server's own in OAuth's form. */
export function oauthRefusal(refusal: Refusal, correlationId: string): Response {
  const headers = refusalHeaders(refusal);
  headers.set("Cache-Control", "no-store");
  const said = { error: errorFor(refusal.code), error_description: refusal.message };
  const status = refusals[refusal.code].http;
  return Response.json({ ...said, ...detailsOf(refusal, correlationId) }, { status, headers });
}

/**
 * Prepares an answer of the OAuth library for sending. A refusal is counted and logged, and its body gets a code and
 * the request's name; its status, headers and other body fields stay.
 */
export async function withRefusal(c: AppContext, response: Response): Promise<Response> {
  if (response.status < 400) return response;
  const { refusal, named } = await nameRefusal(c, response);
  requestRefused(refusal.code, c.var);
  return named;
}

/** Does the same for a refusal that the guard has already counted and logged. */
export async function nameRefusal(
  c: AppContext,
  response: Response,
): Promise<{ refusal: Refusal; named: Response }> {
  const said = errorSchema.safeParse(await response.json().catch(() => undefined)).data;
  const refusal: Refusal = {
    code: codeOf(response.status, said?.error),
    message: "The authorization of this request failed.",
  };
  const { correlationId } = c.var;
  const headers = new Headers(response.headers);
  headers.set("Content-Type", "application/json");
  headers.delete("Content-Length");
  if (said !== undefined) {
    const body = JSON.stringify({ ...said, ...detailsOf(refusal, correlationId) });
    return { refusal, named: new Response(body, { status: response.status, headers }) };
  }
  const isMcp = !c.req.path.startsWith("/oauth/");
  const { body } = isMcp ? refusalResponse(refusal, correlationId) : oauthRefusal(refusal, correlationId);
  return { refusal, named: new Response(body, { status: response.status, headers }) };
}

const errorSchema = z.looseObject({ error: z.string(), error_description: z.string().optional() });

/** Leaves out `next`, which is about MCP. */
function detailsOf(refusal: Refusal, id: string) {
  const { code, retryable, correlationId, retryAfterMs } = refusalDetails(refusal, id);
  return { code, retryable, correlationId, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

function errorFor(code: RefusalCode): string {
  const { http } = refusals[code];
  if (code === "internal") return "server_error";
  if (http === 429 || http >= 500) return "temporarily_unavailable";
  return http === 403 ? "access_denied" : "invalid_request";
}

function codeOf(status: number, error: string | undefined): RefusalCode {
  if (status === 401 || error === "invalid_grant" || error === "invalid_client") return "unauthenticated";
  if (status >= 500) return status === 503 ? "unavailable" : "internal";
  return BY_STATUS.get(status) ?? "malformed_request";
}
const BY_STATUS = new Map<number, RefusalCode>([
  [403, "permission_denied"],
  [404, "not_found"],
  [413, "request_too_large"],
  [429, "rate_limited"],
]);
