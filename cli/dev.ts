// dev: runs the Worker on this machine, and fills a new state folder with a sample catalog and
// support desk.

import { styleText } from "node:util";
import * as z from "zod";
import { commandOf } from "./command.ts";
import { portNumber } from "./arguments.ts";
import { anonymousRefusedBy, readDevVars, unknownSettings } from "./local/dev-vars.ts";
import { readableLine } from "./local/log-lines.ts";
import { type LocalServer, DEFAULT_STATE_DIR, startServer } from "./local/server.ts";
import { hasWayOut } from "./local/way-out.ts";
import { ROOT } from "./wrangler.ts";

const {
  port,
  state: stateDir,
  json = false,
} = commandOf("dev")
  .description(
    "Run the Worker on this machine, with a sample catalog and support desk in a local D1 database.",
  )
  .option("--port <number>", "port on 127.0.0.1", portNumber, 8787)
  .option("--state <folder>", "where the local database lives", DEFAULT_STATE_DIR)
  .option("--json", "print log lines as JSON on a terminal too, as a deployed server does (docs/logs.md)")
  .parse()
  .opts<{ port: number; state: string; json?: boolean }>();

const isRead = process.stdout.isTTY && !json;

const CUT_OFF = `  This machine does not reach the internet, so CLIENT_METADATA_DOCUMENTS is off: clients register to sign in. To decide
  for yourself, set it to on or off in .dev.vars.
`;

const fail = (error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
};

const vars = await readDevVars(ROOT);
try {
  let keys: Record<string, string> | undefined;
  let example: Example | undefined;
  let isGreeted = false;
  // Without a way out, clients that name the address of their description could not sign in.
  const isCutOff = vars["CLIENT_METADATA_DOCUMENTS"] === undefined && !(await hasWayOut());
  const server = await startServer({
    port,
    stateDir,
    watch: true,
    ...(isCutOff && { vars: { CLIENT_METADATA_DOCUMENTS: "off" } }),
    onLog: (line) => console.log(isRead ? readableLine(line) : line),
    onNotice: (text) => console.error(text),
    onFailure: fail,
    prepare: async (started) => {
      // Loaded only after the build succeeded, because it reads policy.json.
      const { fillNewState } = await import("./sample/fill-new-state.ts");
      keys = await fillNewState(started, stateDir);
      example = await exampleOf(started);
    },
    onReady: (url) => {
      if (!isGreeted) {
        console.log(banner(url, keys ?? {}, anonymousRefusedBy(vars), example));
        if (isCutOff) console.error(CUT_OFF);
      }
      isGreeted = true;
    },
  });
  for (const line of unknownSettings(vars)) console.error(`  ${line}\n`);
  // Not asked over HTTP: the runtime may end just then, and is started again.
  if (!isGreeted)
    console.error(
      `  ${server.url} serves nothing yet. Fix the problems above. policy.json is read again when it is saved, .dev.vars at the next start.\n`,
    );
} catch (error) {
  fail(error);
}

function metricsAccess(refusedBy: string | undefined): string {
  if (vars["METRICS_TOKEN"] !== undefined && vars["METRICS_TOKEN"] !== "")
    return "with METRICS_TOKEN of .dev.vars as bearer token";
  return refusedBy === undefined
    ? "for Prometheus; no token needed on this machine"
    : "once METRICS_TOKEN is set in .dev.vars";
}

interface Example {
  words: string;
  sku: string;
}

/** A product of the catalog that the banner asks for, by words and a SKU that need no quoting; undefined if there is none. */
async function exampleOf(server: LocalServer): Promise<Example | undefined> {
  const sql = `SELECT name, sku FROM products WHERE status = 'active' AND sku NOT GLOB '*[^A-Za-z0-9._-]*' ORDER BY id LIMIT 1`;
  const [rows] = z
    .tuple([z.array(z.object({ name: z.string(), sku: z.string() }))])
    .parse(await server.batch([{ sql, values: [] }]));
  const [product] = rows;
  const words = product?.name
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu)
    ?.slice(0, 2)
    .join(" ");
  return product && words !== undefined ? { words, sku: product.sku } : undefined;
}

/** `refusedBy` is the setting that refuses callers without a token, if one does. */
function banner(
  url: string,
  keys: Record<string, string>,
  refusedBy: string | undefined,
  example: Example | undefined,
): string {
  const mcp = `${url}/mcp`;
  // Other commands find only a server on the default state folder by themselves.
  const isDefault = stateDir === DEFAULT_STATE_DIR;
  const where = isDefault ? "" : ` --url ${mcp}`;
  const withKey = refusedBy === undefined ? "" : `CATALOG_ACCESS_KEY=${keys["user-001"] ?? "KEY"} `;
  const asked = (args: string) => `${withKey}npm run ask -- ${args}${where}`;
  const strong = (text: string) => styleText("bold", text);
  return `
  ${strong("product-catalog-mcp")} is running: ${strong(mcp)}

  Claude Code   claude mcp add --scope user --transport http product-catalog ${mcp}
  Others        ${url}/ in a browser
  Inspector     npx -y @modelcontextprotocol/inspector --transport http --server-url ${mcp}
  Next, in another terminal:
                ${example === undefined ? "npx product-catalog-mcp import FILE" : asked(`"${example.words}"`)}
                ${example === undefined ? "" : asked(`--sku ${example.sku}`)}

  Dashboard     ${url}/admin, with the demo admin's key; npx product-catalog-mcp lab traffic${isDefault ? "" : ` --state ${stateDir}`} fills it
  Metrics       ${url}/metrics, ${metricsAccess(refusedBy)}

  ${
    refusedBy === undefined
      ? "Callers without a token are served as anonymous. To refuse them, set LOCAL_ANONYMOUS=off in .dev.vars."
      : `Callers without a token are refused, because .dev.vars sets ${refusedBy}.`
  }
  Access keys of the demo users, for "Authorization: Bearer …" and for signing in:
${Object.entries(keys)
  .map(([user, key]) => `    ${user.padEnd(15)} ${key}`)
  .join("\n")}

  Press Ctrl-C to stop.
`;
}
