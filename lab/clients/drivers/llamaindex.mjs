import { mcp } from "@llamaindex/tools";
import { sdk } from "./sdk.mjs";

export default {
  ...sdk("sdk-1.32"),
  async open({ url, headers, provider }) {
    const server = mcp({ url, requestInit: { headers }, authProvider: provider });
    const tools = await server.tools();
    return {
      tools: async () => tools.map(({ metadata }) => metadata.name),
      call: async (name, args) =>
        JSON.stringify(await tools.find(({ metadata }) => metadata.name === name).call(args)),
      close: () => server.cleanup(),
    };
  },
};
