import { run } from "./programs.mjs";

const PROGRAM = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js";

export default {
  async open({ url, headers = {}, home, person }) {
    const ask = (...args) => {
      const header = Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]);
      return run(
        [
          PROGRAM,
          "--cli",
          "--server-url",
          url,
          "--transport",
          "http",
          ...header,
          "--format",
          "json",
          ...args,
        ],
        { home, person },
      );
    };
    return {
      tools: async () =>
        [...(await ask("--method", "tools/list")).matchAll(/"name":\s*"(\w+)",\s*"title"/g)].map(
          ([, name]) => name,
        ),
      call: (name, args) =>
        ask("--method", "tools/call", "--tool-name", name, "--tool-args-json", JSON.stringify(args)),
      resource: (uri) => ask("--method", "resources/read", "--uri", uri),
      prompt: (name, args) =>
        ask(
          "--method",
          "prompts/get",
          "--prompt-name",
          name,
          "--prompt-args",
          ...Object.entries(args).map(([key, value]) => `${key}=${value}`),
        ),
      close: () => {},
    };
  },
};
