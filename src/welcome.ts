import type { Context } from "hono";
import packageJson from "../package.json" with { type: "json" };

/** What a person sees who opens the server's address in a browser. */
export function welcome(c: Context): Response {
  const mcp = new URL("/mcp", c.req.url).href;
  return c.text(`${packageJson.name} ${packageJson.version}: an MCP server that answers from a live product catalog.

MCP endpoint: ${mcp}

Claude Code:  claude mcp add --transport http product-catalog ${mcp}
Other clients: add ${mcp} as a remote (HTTP) MCP server.
`);
}
