import { createMcpClient } from "@genkit-ai/mcp";
import { genkit } from "genkit";
import { sdk } from "./sdk.mjs";

export default {
  ...sdk("sdk-1.32"),
  async open({ url, headers, provider }) {
    const ai = genkit({});
    const client = createMcpClient({
      name: "catalog",
      mcpServer: { url, requestInit: { headers }, authProvider: provider },
    });
    await client.ready();
    const tools = await client.getActiveTools(ai);
    const resources = await client.getActiveResources(ai);
    return {
      tools: async () => tools.map(({ __action }) => __action.name.replace(/^catalog\//, "")),
      call: async (name, args) =>
        JSON.stringify(await tools.find(({ __action }) => __action.name.endsWith(`/${name}`))(args)),
      resource: async (uri) => JSON.stringify(await resources.find((each) => each.matches({ uri }))({ uri })),
      async prompt(name, args) {
        const prompt = await client.getPrompt(ai, name);
        return JSON.stringify(await prompt.render(args));
      },
      close: () => client.disable(),
    };
  },
};
