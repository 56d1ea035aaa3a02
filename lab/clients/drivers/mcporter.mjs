import { run } from "./programs.mjs";

const PROGRAM = "node_modules/mcporter/dist/cli.js";

export default {
  async open({ url, headers = {}, home, person }) {
    const server = ["--http-url", url, "--allow-http", "--name", "catalog"];
    const header = Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}=${value}`]);
    const ask = (command, ...args) => run([PROGRAM, command, ...args, ...server, ...header], { home, person });
    if (person !== undefined) await ask("auth", "--no-browser");
    return {
      tools: async () => [...(await ask("list", "--json")).matchAll(/^\s*"name": "(\w+)",\s*$/gm)].map(([, name]) => name),
      call: (name, args) => ask("call", `catalog.${name}`, "--args", JSON.stringify(args), "--output", "json"),
      resource: (uri) => ask("resource", "catalog", uri),
      close: () => {},
    };
  },
};
