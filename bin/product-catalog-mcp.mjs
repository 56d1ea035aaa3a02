#!/usr/bin/env node
// What MCP clients start: cli/stdio.ts, on the Node of node_modules where the host's own is too old for it.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const script = new URL("../cli/stdio.ts", import.meta.url);

if (process.features.typescript) {
  await import(script);
} else {
  const child = spawn(newerNode(), [fileURLToPath(script), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
}

function newerNode() {
  const isWindows = process.platform === "win32";
  const name = `node-${isWindows ? "win" : process.platform}-${process.arch}`;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    return join(folder, "bin", isWindows ? "node.exe" : "node");
  } catch {
    const root = fileURLToPath(new URL("..", import.meta.url));
    console.error(
      `Node ${process.version} is too old: 22.18 or newer is needed, or "npm install" in ${root}`,
    );
    return process.exit(1);
  }
}
