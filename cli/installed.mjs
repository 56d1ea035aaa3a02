// npm scripts load this before a command of cli/, so that a missing install is reported in a sentence instead
// of a stack. It runs on any version of Node.

import { existsSync } from "node:fs";

const isInstalled = existsSync(new URL("../node_modules", import.meta.url));
const isTooOld = !process.features.typescript;

if (!isInstalled || isTooOld) {
  console.error(
    isInstalled
      ? `Node ${process.version} is too old. Install Node 22.18 or newer; on Linux and on Windows x64 "npm install" brings one.`
      : 'The packages are missing. Run "npm install" first.',
  );
  process.exit(1);
}
