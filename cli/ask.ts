// ask: a small MCP client that prints what the catalog tells a model.

import { wholeNumber } from "./arguments.ts";
import { commandOf } from "./command.ts";
import { NO_SERVER, findServer } from "./local/server.ts";
import { printCall } from "./mcp-client.ts";
import { UCP_PATH } from "../src/http/well-known.ts";
import { serverMessage } from "./server-message.ts";

/**
 * The variable that holds an access key. It is never an argument, because other users of a machine can see
 * those.
 */
const KEY_VARIABLE = "CATALOG_ACCESS_KEY";

interface Options {
  ucp?: boolean;
  sku?: string[];
  category?: string;
  limit: number;
  cursor?: string;
  url?: string;
  json?: boolean;
}

const program = commandOf("ask")
  .description("Ask the catalog over MCP, as an AI client does.")
  .argument("[query...]", "what to search for, in plain words")
  .option("--sku <sku...>", "show live stock of these SKUs instead")
  .option("--category <name>", "only this category")
  .option("--limit <number>", "most products to show (1 to 50)", wholeNumber, 10)
  .option("--cursor <cursor>", "the next page of the same search, by the cursor of the last one")
  .option("--url <url>", "MCP endpoint (default: the running npm run dev)")
  .option("--ucp", "ask as a shopping agent does (docs/ucp.md)")
  .option("--json", "print the answer as JSON")
  .addHelpText("after", `\nSet ${KEY_VARIABLE} if the server requires an access key.`)
  .action(ask);
await program.parseAsync();

async function ask(words: string[], options: Options): Promise<void> {
  const query = words.length === 0 ? undefined : words.join(" ");
  const { sku: skus, category, limit, cursor, json, ucp = false } = options;
  if ((query === undefined) === (skus === undefined))
    program.error("Give a query, or --sku with one or more SKUs. See --help.");
  const given = options.url ?? (await runningUrl("/mcp"));
  if (!URL.canParse(given)) throw new Error(`${given} is not a URL. It looks like http://127.0.0.1:8787/mcp`);
  const url = ucp ? new URL(UCP_PATH, given).href : given;
  const call = ucp
    ? ucpCall(new URL(url).origin, { query, skus, category, limit, cursor })
    : skus === undefined
      ? { name: "search_products", arguments: { query, category, limit, cursor } }
      : { name: "query_stock", arguments: { skus } };
  await printCall(new URL(url), call, {
    fetch: (target, init) => fetch(target, { ...init, headers: withKey(init?.headers) }),
    explain: () => explainFailure(url, Object.fromEntries(withKey())),
    json: json === true,
  });
}

/** The server's own profile stands for the agent's, so that nothing has to be published. */
function ucpCall(
  origin: string,
  {
    query,
    skus,
    category,
    limit,
    cursor,
  }: Pick<Options, "limit"> &
    Record<"query" | "category" | "cursor", string | undefined> & { skus: string[] | undefined },
) {
  const meta = { "ucp-agent": { profile: `${origin}/.well-known/ucp` } };
  const filters = category === undefined ? undefined : { categories: [category] };
  return skus === undefined
    ? {
        name: "search_catalog",
        arguments: { meta, catalog: { query, filters, pagination: { limit, cursor } } },
      }
    : { name: "lookup_catalog", arguments: { meta, catalog: { ids: skus, filters } } };
}

function withKey(given?: HeadersInit): Headers {
  const headers = new Headers(given);
  const key = process.env[KEY_VARIABLE];
  if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
  return headers;
}

/**
 * Finds out why the client could not connect: repeats the request without the client, with the same key
 * because anonymous callers may be served.
 */
async function explainFailure(url: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      ...headers,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
  }).catch(() => undefined);
  if (response === undefined)
    return `No server answers at ${url}. Start one with npm run dev, or check the URL.`;
  const { status } = response;
  const said = response.ok ? "" : await serverMessage(response);
  const why = said === "" ? "." : `: ${said.replace(/\.?$/, ".")}`;
  if (status !== 401 && status !== 403)
    return `${url} answers, but it is not an MCP server that accepts this call (HTTP ${status})${why}`;
  return headers["authorization"] === undefined
    ? `${url} requires an access key. Set ${KEY_VARIABLE}.`
    : `${url} rejects the access key in ${KEY_VARIABLE}${why}`;
}

async function runningUrl(path: string): Promise<string> {
  const server = await findServer();
  if (server === undefined) throw new Error(NO_SERVER);
  return `${server.url}${path}`;
}
