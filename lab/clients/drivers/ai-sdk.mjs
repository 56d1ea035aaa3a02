import { auth, createMCPClient } from "@ai-sdk/mcp";
import { newProvider } from "./provider.mjs";

export default {
  newProvider,
  async open({ url, headers, provider }) {
    const client = await createMCPClient({
      transport: { type: "http", url, headers, authProvider: provider },
    });
    return {
      tools: async () => Object.keys(await client.tools()),
      async call(name, args) {
        const tools = await client.tools();
        const output = await tools[name].execute(args, { toolCallId: "1", messages: [] });
        return JSON.stringify(
          tools[name].toModelOutput?.({ output, toolCallId: "1", input: args }) ?? output,
        );
      },
      resource: async (uri) => JSON.stringify(await client.readResource({ uri })),
      prompt: async (name, args) => JSON.stringify(await client.getPrompt({ name, arguments: args })),
      close: () => client.close(),
    };
  },
  finish: (provider, url, code) =>
    auth(provider, { serverUrl: url, authorizationCode: code, callbackState: "lab" }),
};
