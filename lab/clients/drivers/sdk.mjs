import { newProvider } from "./provider.mjs";

/** The official SDK of the 2025 revisions, in a version of its own. */
export const sdk = (name) => ({
  newProvider,
  async open({ url, headers, provider }) {
    const { Client } = await import(`${name}/client/index.js`);
    const { StreamableHTTPClientTransport } = await import(`${name}/client/streamableHttp.js`);
    const client = new Client({ name, version: "1" });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers }, authProvider: provider }),
    );
    return {
      client,
      tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
      call: async (tool, args) => JSON.stringify(await client.callTool({ name: tool, arguments: args })),
      resource: async (uri) => JSON.stringify(await client.readResource({ uri })),
      prompt: async (prompt, args) =>
        JSON.stringify(await client.getPrompt({ name: prompt, arguments: args })),
      close: () => client.close(),
    };
  },
  async finish(provider, url, code) {
    const { auth } = await import(`${name}/client/auth.js`);
    await auth(provider, { serverUrl: url, authorizationCode: code });
  },
});
