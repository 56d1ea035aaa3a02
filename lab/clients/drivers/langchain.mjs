import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import { sdk } from "./sdk.mjs";

export default {
  ...sdk("sdk-1.32"),
  async open({ url, headers, provider }) {
    const client = new MultiServerMCPClient({
      mcpServers: {
        catalog: { transport: "http", url, headers, authProvider: provider, automaticSSEFallback: false },
      },
    });
    const tools = await client.getTools();
    return {
      tools: async () => tools.map(({ name }) => name),
      call: async (name, args) => JSON.stringify(await tools.find((tool) => tool.name === name).invoke(args)),
      resource: async (uri) => JSON.stringify(await client.readResource("catalog", uri)),
      close: () => client.close(),
    };
  },
};
