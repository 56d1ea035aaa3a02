// Starts `npm run dev`, asks it for its page and for one tool call, and ends it. Any Node from 20 on runs this.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

const URL = "http://127.0.0.1:8787";
const LIMIT_MS = 120_000;

const dev = spawn("npm", ["run", "dev"], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
let printed = "";
dev.stdout.on("data", (chunk) => (printed += chunk));
const started = Date.now();
try {
  while (!printed.includes("Ctrl-C")) {
    if (dev.exitCode !== null) throw new Error("npm run dev ended.");
    if (Date.now() - started > LIMIT_MS) throw new Error(`npm run dev printed no URL in ${LIMIT_MS} ms.`);
    await sleep(50);
  }
  const page = await fetch(URL);
  const call = await fetch(`${URL}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "search_products", arguments: { query: "wireless keyboard" } },
    }),
  });
  const answer = await call.text();
  if (page.status !== 200) throw new Error(`${URL} answers ${page.status}.`);
  if (!answer.includes("SKU-10001")) throw new Error(`search_products answers ${answer}`);
  console.log(`npm run dev answers, ${Date.now() - started} ms after its start.`);
} catch (error) {
  console.error(printed);
  console.error(error.message);
  process.exitCode = 1;
} finally {
  if (dev.pid !== undefined) process.kill(-dev.pid, "SIGINT");
  if (dev.exitCode === null) await once(dev, "exit");
}
