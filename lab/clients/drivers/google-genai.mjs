import { mcpToTool } from "@google/genai";
import { sdk } from "./sdk.mjs";

const base = sdk("sdk-1.32");
export default {
  ...base,
  async open(options) {
    const { client, close } = await base.open(options);
    const tool = mcpToTool(client);
    const { functionDeclarations } = await tool.tool();
    return {
      tools: async () => functionDeclarations.map(({ name }) => name),
      call: async (name, args) => JSON.stringify(await tool.callTool([{ name, args }])),
      close,
    };
  },
};
