import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { agent } from "./agents.mjs";

const SERVER = "product-catalog";

export default agent({
  client: "Codex",
  command: "codex",
  program: "@openai/codex/bin/codex.js",
  withKey: "--bearer-token-env-var KEY",
  file: ".codex/config.toml",
  configured: (text) => /\[mcp_servers\.product-catalog\]\nurl = "([^"]+)"/.exec(text)?.[1],
  // Adding a server signs in at once.
  async connect({ env, home }) {
    const child = spawn("codex", ["app-server"], {
      cwd: join(home, "work"),
      env,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const waiting = new Map();
    createInterface({ input: child.stdout }).on("line", (line) => {
      const message = JSON.parse(line);
      waiting.get(message.id)?.(message);
    });
    const ask = async (method, params) => {
      const id = waiting.size + 1;
      const answer = new Promise((resolve) => waiting.set(id, resolve));
      child.stdin.write(`${JSON.stringify({ id, method, params })}\n`);
      const { result, error } = await answer;
      if (error !== undefined) throw new Error(error.message);
      return result;
    };
    await ask("initialize", { clientInfo: { name: "catalog", title: "Catalog", version: "1" } });
    child.stdin.write(`${JSON.stringify({ method: "initialized" })}\n`);
    const { thread } = await ask("thread/start", {});
    const at = { threadId: thread.id, server: SERVER };
    return {
      async tools() {
        const { data } = await ask("mcpServerStatus/list", {});
        return Object.keys(data.find(({ name }) => name === SERVER).tools);
      },
      call: async (tool, args) =>
        JSON.stringify(await ask("mcpServer/tool/call", { ...at, tool, arguments: args })),
      resource: async (uri) => JSON.stringify(await ask("mcpServer/resource/read", { ...at, uri })),
      close: () => child.kill(),
    };
  },
});
