// A plain stateful MCP server from Cloudflare's template: one Durable Object per session.

import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { McpAgent } from "agents/mcp";
import * as z from "zod";
import { naiveSearch } from "../naive-search.ts";

interface AgentEnv extends Env {
  MCP_OBJECT: DurableObjectNamespace<CatalogAgent>;
}

export class CatalogAgent extends McpAgent<AgentEnv> {
  server = new McpServer({ name: "plain-catalog", version: "1.0.0" });

  async init(): Promise<void> {
    this.server.registerTool(
      "search_products",
      { description: "Search products", inputSchema: { query: z.string() } },
      async ({ query }) => ({
        content: [{ type: "text", text: JSON.stringify(await naiveSearch(this.env.DB, query)) }],
      }),
    );
  }
}

export default CatalogAgent.serve("/mcp");
