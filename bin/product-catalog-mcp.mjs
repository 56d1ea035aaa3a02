#!/usr/bin/env node
// What MCP clients start: cli/stdio.ts, on the Node of node_modules where the host's own is too old for it.

import { spawn } from "node:child_process";
import module from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(import.meta.url);

if (process.features.typescript) {
  // Parsing code takes a third of the time of a start.
  module.enableCompileCache(join(dirname(here), "../node_modules/.cache/node"));
  await import("../cli/stdio.ts");
} else {
  const child = spawn(newerNode(), [here, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
}

function newerNode() {
  const isWindows = process.platform === "win32";
  const name = `node-${isWindows ? "win" : process.platform}-${process.arch}`;
  try {
    const folder = dirname(module.createRequire(import.meta.url).resolve(`${name}/package.json`));
    return join(folder, "bin", isWindows ? "node.exe" : "node");
  } catch {
    const root = fileURLToPath(new URL("..", import.meta.url));
    console.error(
      `Node ${process.version} is too old: 22.18 or newer is needed, or "npm install" in ${root}`,
    );
    return process.exit(1);
  }
}
