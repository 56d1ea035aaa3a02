// Agents for a terminal. Each is added by the very line that the server's install page shows for it, in a home of its own.

import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";

const NAME = "product-catalog";

/** Returns the line that the install page shows for a client. */
async function lineFor(client, url) {
  const page = await fetch(new URL("/", url), { headers: { accept: "text/html" } });
  const [, section = ""] = (await page.text()).split(`<h3>${client}</h3>`);
  const [, line] = /<code>([^<]+)<\/code>/.exec(section) ?? [];
  if (line === undefined) throw new Error(`The page has no line for ${client}.`);
  return line;
}

/**
 * Describes an agent: its name on the page, its program in node_modules, and its command. `withKey` is appended to the page's
 * line to send an access key. `configured` reads the URL from the file of its home that the line writes.
 */
export const agent = ({ client, program, command, withKey, file, configured, signIn, connect }) => ({
  async open({ url, headers, home, person }) {
    const bin = join(home, "bin");
    await mkdir(join(home, "work"), { recursive: true });
    await mkdir(bin);
    const script = (name, path) =>
      writeFile(join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${path}" "$@"\n`, { mode: 0o700 });
    await script(command, resolve("node_modules", program));
    await script("browse", resolve("drivers/browse.mjs"));
    const env = {
      PATH: [bin, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
      HOME: home,
      TERM: "xterm",
      DISPLAY: ":0",
      BROWSER: join(bin, "browse"),
      KEY: headers?.Authorization.split(" ")[1] ?? person.key,
      TICKED: person?.ticked?.join(" ") ?? "",
      // A folder without a person to trust it.
      GEMINI_CLI_TRUST_WORKSPACE: "true",
    };
    const sh = (line) => shell(line, { cwd: join(home, "work"), env });

    const line = await lineFor(client, url);
    await sh(headers === undefined ? line : `${line} ${withKey}`);
    const found = configured(await readFile(join(home, file), "utf8"));
    if (found !== url) throw new Error(`${file} names ${found}`);
    if (person !== undefined) await signIn?.(sh);
    return connect({ sh, env, home });
  },
});

/** Runs a line in a shell and returns what it prints. */
async function shell(line, options) {
  const child = spawn("sh", ["-c", line], { ...options, timeout: 35_000, stdio: ["pipe", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  const code = await new Promise((done) => child.on("close", done));
  if (code !== 0) throw new Error(`${line}: ${text.trim().split("\n").at(-1)}`);
  return text;
}

/** A program that only answers a terminal. */
export const inTerminal = (line) => `script -qec '${line}' /dev/null`;

/** An agent that calls tools only for a model: it shows whether it is connected. */
export const connected = async (sh, line) => {
  const text = await sh(line);
  const status = text.split("\n").find((each) => each.includes(`${NAME}: `)) ?? text;
  if (!status.trim().endsWith(" Connected")) throw new Error(status);
  return { tools: () => "connected", lacks: "needs a model", close: () => {} };
};

/** Reads the JSON in which most agents keep their servers. */
export const inJson = (text) => JSON.parse(text).mcpServers[NAME].url;
