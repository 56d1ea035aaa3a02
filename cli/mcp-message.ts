import * as z from "zod";
import { eventData } from "../src/text/json-line.ts";
import { parseJson } from "./read-file.ts";

const META = "io.modelcontextprotocol";

const modernSchema = z.object({
  method: z.string(),
  params: z.object({
    _meta: z.object({ [`${META}/protocolVersion`]: z.string() }),
    name: z.string().optional().catch(undefined),
    uri: z.string().optional().catch(undefined),
  }),
});

/** Returns the headers for a body. Revision 2026-07-28 repeats parts of the message in headers. */
export function headersFor(body: string): Record<string, string> {
  const common = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const parsed = modernSchema.safeParse(parseJson(body));
  if (!parsed.success) return common;
  const { method, params } = parsed.data;
  const name = method === "resources/read" ? params.uri : params.name;
  return {
    ...common,
    "mcp-protocol-version": headerText(params._meta[`${META}/protocolVersion`]),
    "mcp-method": headerText(method),
    ...(name !== undefined && { "mcp-name": headerText(name) }),
  };
}

/** Encodes text that a header cannot carry in base64 (MCP 2026-07-28, Streamable HTTP, value encoding). */
export function headerText(text: string): string {
  const isPlain = /^[!-~]([\t -~]*[!-~])?$/.test(text) && !/^=\?base64\?.*\?=$/.test(text);
  return isPlain ? text : `=?base64?${Buffer.from(text).toString("base64")}?=`;
}

/** Returns the JSON messages of an answer, from a stream or a single body. Empty if it is neither. */
export function messagesOf(contentType: string, text: string): unknown[] {
  if (contentType.includes("event-stream")) {
    return eventData(text)
      .map((data) => parseJson(data))
      .filter((message) => message !== undefined);
  }
  const message = parseJson(text);
  return message === undefined ? [] : [message].flat();
}
