import { randomUUID } from "node:crypto";
import * as z from "zod";
import { refusalError, refuse } from "../../src/refusal.ts";
import { parseJson } from "../read-file.ts";
import { safeUrl } from "../safe-url.ts";
import { ANSWER_MS, type Answer, type Call, UnreachableError } from "../stdio/call.ts";

/** Parses the address that a person gave: the endpoint, or only the server. Throws if a key must not be sent there. */
export function endpointOf(text: string): URL {
  const url = safeUrl(text.trim());
  if (url.pathname === "/") url.pathname = "/mcp";
  return url;
}

/** A refusal in OAuth's form, which is no JSON-RPC. */
const refusedSchema = z.object({ error: z.string(), error_description: z.string().optional() });

/** Calls a deployed server with an access key. `log` gets one line for each refusal of the key. */
export function remoteCall(url: URL, key: string, log: (line: string) => void): Call {
  return async (body, headers, signal) => {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, authorization: `Bearer ${key}` },
        body,
        // The key is for this address alone.
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      });
      const contentType = response.headers.get("content-type") ?? "";
      return inJsonRpc({ status: response.status, contentType, text: await response.text() }, log);
    } catch (error) {
      if (signal.aborted) throw error;
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      log(`${url.href} can't be reached: ${cause instanceof Error ? cause.message : String(cause)}`);
      throw new UnreachableError("gone", { cause: error });
    }
  };
}

function inJsonRpc(answer: Answer, log: (line: string) => void): Answer {
  if (answer.status !== 401 && answer.status !== 403) return answer;
  const refused = refusedSchema.safeParse(parseJson(answer.text)).data;
  if (refused === undefined) return answer;
  const said = refused.error_description ?? refused.error;
  log(`The server refused the access key: ${said}`);
  const code = answer.status === 401 ? "unauthenticated" : "permission_denied";
  const { code: number, message, data } = refusalError(refuse(code, said).refusal, randomUUID());
  const error = { code: number, message, data };
  return { ...answer, text: JSON.stringify({ jsonrpc: "2.0", id: null, error }) };
}
