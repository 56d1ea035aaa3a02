import * as z from "zod";

const answerSchema = z.object({
  result: z.object({
    isError: z.boolean().optional(),
    structuredContent: z.record(z.string(), z.unknown()).optional(),
    content: z.array(z.looseObject({ text: z.string().optional() })),
  }),
});
export type ToolAnswer = z.output<typeof answerSchema>["result"];

/** Calls a tool with an access key. Rejects if the server cannot be reached or answers no result. */
export async function callTool(url: string, key: string, name: string, args: object): Promise<ToolAnswer> {
  const response = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      authorization: `Bearer ${key}`,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } }),
  });
  const text = await response.text();
  // One message, as JSON or as an event of a stream.
  return answerSchema.parse(JSON.parse(text.slice(text.indexOf("{")))).result;
}
