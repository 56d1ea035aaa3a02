import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./programs.mjs";

const PROGRAM = "node_modules/mcporter/dist/cli.js";

export default {
  async open({ url, headers, home, person }) {
    const config = join(home, "mcporter.json");
    const auth = headers === undefined ? { auth: "oauth" } : { headers };
    await writeFile(config, JSON.stringify({ mcpServers: { catalog: { url, ...auth } } }));
    const ask = (...args) => run([PROGRAM, "--config", config, ...args], { home, person });
    if (person !== undefined) await ask("auth", "catalog", "--no-browser");
    return {
      tools: async () => JSON.parse(await ask("list", "catalog", "--json")).tools.map(({ name }) => name),
      call: (name, args) =>
        ask("call", `catalog.${name}`, "--args", JSON.stringify(args), "--output", "json"),
      resource: (uri) => ask("resource", "catalog", uri),
      close: () => {},
    };
  },
};
