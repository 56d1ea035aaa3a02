import { Client } from "sdk-1.32/client/index.js";
import { StdioClientTransport } from "sdk-1.32/client/stdio.js";
import { follow } from "./programs.mjs";

/** The proxy that clients with standard input and output use, behind the official SDK. */
export default {
  async open({ url, headers = {}, home, person }) {
    const header = Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}:${value}`]);
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: ["node_modules/mcp-remote/dist/proxy.js", url, ...header],
      env: { PATH: process.env.PATH, HOME: home, BROWSER: "true" },
      stderr: "pipe",
    });
    if (person !== undefined) follow(transport.stderr, person);
    const client = new Client({ name: "lab", version: "1" });
    await client.connect(transport);
    return {
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: async (name, args) => JSON.stringify(await client.callTool({ name, arguments: args })),
      resource: async (uri) => JSON.stringify(await client.readResource({ uri })),
      prompt: async (name, args) => JSON.stringify(await client.getPrompt({ name, arguments: args })),
      close: () => client.close(),
    };
  },
};
