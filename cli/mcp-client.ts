import { Client, type FetchLike, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

interface Call {
  name: string;
  arguments: Record<string, unknown>;
}
interface Connection {
  /** Sends every request; the default is the global fetch. */
  fetch?: FetchLike;
  /** Says why the client could not connect or call. */
  explain: (error: unknown) => Promise<string>;
  /** Prints the structured answer and not the text that a model reads. */
  json: boolean;
}

/** Calls a tool with the official MCP client and prints the answer. Throws with the server's words if it refuses. */
export async function printCall(url: URL, call: Call, { fetch, explain, json }: Connection): Promise<void> {
  const client = new Client(
    { name: "product-catalog-mcp", version: "1" },
    { versionNegotiation: { mode: "auto" } },
  );
  const explained = async (error: unknown) => {
    throw new Error(await explain(error), { cause: error });
  };
  await client.connect(new StreamableHTTPClientTransport(url, fetch && { fetch })).catch(explained);
  try {
    const { content, isError, structuredContent } = await client.callTool(call).catch(explained);
    const text = content.map((block) => (block.type === "text" ? block.text : "")).join("\n");
    if (isError === true) throw new Error(text);
    console.log(json ? JSON.stringify(structuredContent, null, 2) : text);
  } finally {
    await client.close();
  }
}
