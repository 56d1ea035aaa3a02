import { MCPServerStreamableHttp } from "@openai/agents";
import { sdk } from "./sdk.mjs";

export default {
  ...sdk("sdk-1.32"),
  async open({ url, headers, provider }) {
    const server = new MCPServerStreamableHttp({ url, requestInit: { headers }, authProvider: provider });
    await server.connect();
    return {
      tools: async () => (await server.listTools()).map(({ name }) => name),
      call: async (name, args) => JSON.stringify(await server.callTool(name, args)),
      resource: async (uri) => JSON.stringify(await server.readResource(uri)),
      close: () => server.close(),
    };
  },
};
