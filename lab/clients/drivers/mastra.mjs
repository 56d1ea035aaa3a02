import { MCPClient } from "@mastra/mcp";
import { sdk } from "./sdk.mjs";

export default {
  ...sdk("sdk-1.32"),
  async open({ url, headers, provider }) {
    const client = new MCPClient({
      id: String(Math.random()),
      servers: { catalog: { url: new URL(url), requestInit: { headers }, authProvider: provider } },
    });
    const { tools, errors } = await client.listToolsWithErrors();
    if (errors?.catalog !== undefined) throw new Error(errors.catalog);
    return {
      tools: async () => Object.keys(tools).map((name) => name.replace(/^catalog_/, "")),
      call: async (name, args) => JSON.stringify(await tools[`catalog_${name}`].execute(args, {})),
      resource: async (uri) => JSON.stringify(await client.resources.read("catalog", uri)),
      prompt: async (name, args) =>
        JSON.stringify(await client.prompts.get({ serverName: "catalog", name, args })),
      close: () => client.disconnect(),
    };
  },
};
