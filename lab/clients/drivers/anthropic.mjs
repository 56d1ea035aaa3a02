import { mcpMessages, mcpResourceToContent, mcpTools } from "@anthropic-ai/sdk/helpers/beta/mcp";
import { sdk } from "./sdk.mjs";

const base = sdk("sdk-1.32");
export default {
  ...base,
  async open(options) {
    const { client, close } = await base.open(options);
    const tools = mcpTools((await client.listTools()).tools, client);
    return {
      tools: async () => tools.map(({ name }) => name),
      call: async (name, args) => JSON.stringify(await tools.find((tool) => tool.name === name).run(args)),
      resource: async (uri) => JSON.stringify(mcpResourceToContent(await client.readResource({ uri }))),
      prompt: async (name, args) =>
        JSON.stringify(mcpMessages((await client.getPrompt({ name, arguments: args })).messages)),
      close,
    };
  },
};
