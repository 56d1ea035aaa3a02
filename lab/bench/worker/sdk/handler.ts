// Stands in for agents/mcp/server (wrangler.toml): the MCP SDK's own handler. It ignores the options that agents adds,
// for the route, hosts, origins and CORS, all of which src/app.ts has dealt with.

export { createMcpHandler } from "@modelcontextprotocol/server";
