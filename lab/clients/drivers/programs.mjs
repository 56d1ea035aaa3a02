import { spawn } from "node:child_process";
import { allow } from "./person.mjs";

/** A program's output is searched for this, where a person would open a browser. */
const AUTHORIZE = /https?:\/\/[^\s"'\\]+\/authorize\?[^\s"'\\]+/;

/**
 * Follows the authorization URLs that a program prints, as a person would who opens them, and calls the callback that
 * the program waits for.
 */
export function follow(stream, person) {
  let text = "";
  const seen = new Set();
  stream.on("data", (chunk) => {
    text += chunk;
    const [url] = AUTHORIZE.exec(text.slice(Math.max(0, text.lastIndexOf("authorize?") - 60))) ?? [];
    if (url === undefined || !/code_challenge=.*\s/.test(text) || seen.has(url)) return;
    seen.add(url);
    const { key, ticked } = person;
    // The person ticks less only at the first sign-in, and all that a later one asks for.
    person.ticked = undefined;
    allow(url, key, ticked)
      .then(fetch)
      .catch((error) => console.error(`sign-in: ${error.message}`));
  });
}

/** Runs a program to its end and returns its standard output. A person signs in where it asks. */
export async function run(args, { home, person }) {
  const child = spawn(process.execPath, args, {
    timeout: 38_000,
    env: {
      PATH: process.env.PATH,
      HOME: home,
      BROWSER: "true",
      NO_COLOR: "1",
      MCP_AUTO_OPEN_ENABLED: "true",
      MCP_INSPECTOR_SECRET_STORE: "file",
    },
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  if (person !== undefined) for (const stream of [child.stdout, child.stderr]) follow(stream, person);
  child.stdin.end();
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0 && out.trim() === "") throw new Error(err.trim().split("\n").at(-1) ?? `exit ${code}`);
  return out;
}
