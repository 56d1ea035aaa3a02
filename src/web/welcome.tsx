import type { Child } from "hono/jsx";
import { name as product, version } from "../../package.json";
import { plainPage } from "./admin/admin-page.tsx";
import type { AppContext, AppTypes } from "../app-types.ts";
import { ensureMigrated } from "../database/migrate.ts";
import { isClaimed } from "../identity/first-admin.ts";
import { logSurprise } from "../telemetry/log.ts";
import { NewServer } from "./sign-in/sign-in-page.tsx";
import { isForPerson } from "../http/refuse-request.tsx";

/** Shows the start page: a page in a browser, text elsewhere. */
export async function welcome(c: AppContext): Promise<Response> {
  const mcp = new URL("/mcp", c.var.origin).href;
  const answer = isForPerson(c) ? await welcomePage(mcp, c.var, await isNew(c)) : c.text(welcomeText(mcp));
  answer.headers.set("Vary", "Accept");
  return answer;
}

/** Whether the server has had no admin yet. The page is shown without the database too. */
async function isNew(c: AppContext): Promise<boolean> {
  try {
    await ensureMigrated(c.env.DB);
    return !(await isClaimed(c.env.DB));
  } catch (error) {
    logSurprise(error, { correlation_id: c.var.correlationId, what: "welcome" });
    return false;
  }
}

const welcomeText = (
  mcp: string,
): string => `${product} ${version}: an MCP server that answers from a live product catalog.

MCP endpoint: ${mcp}

Claude Code:  claude mcp add --transport http product-catalog ${mcp}
Other clients: add ${mcp} as a remote (HTTP) MCP server.
Try it:       ${curl(mcp)}
`;

const curl = (mcp: string): string =>
  `curl -s ${mcp} -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' ` +
  `-d '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_products","arguments":{"query":"wireless keyboard"}}}'`;

function welcomePage(
  mcp: string,
  { local: isLocal, settings }: AppTypes["Variables"],
  isNewServer: boolean,
): Promise<Response> {
  const isOpen = isLocal && settings.LOCAL_ANONYMOUS === "on";
  return plainPage(
    "Product catalog",
    <>
      <h1>
        <span class="mark" aria-hidden="true" /> Product catalog
      </h1>
      {isNewServer && <NewServer />}
      <section class="card" aria-label="What this is">
        <p class="statement">
          An MCP server that answers from a live product catalog: AI assistants look up what there is, what it
          costs and what is in stock, instead of guessing.
        </p>
        <p>Its address, for every client:</p>
        <Code label="The address">{mcp}</Code>
        <p class="quiet">
          {isOpen
            ? "This is a server on your own machine: callers without a key see the catalog."
            : "Clients open a sign-in page by themselves; agents and services send an access key as a bearer token."}
        </p>
      </section>
      <section class="card" aria-labelledby="connect">
        <h2 id="connect">Connect a client</h2>
        {isLocal && (
          <p class="quiet">
            Claude on the web and ChatGPT call from their own servers, so they need a deployed one. The others
            reach this one.
          </p>
        )}
        {clients(mcp, isLocal, isOpen).map(({ name, how, code }) => (
          <>
            <h3>{name}</h3>
            <p>{how}</p>
            {code !== undefined && <Code label={name}>{code}</Code>}
          </>
        ))}
      </section>
      <section class="card" aria-labelledby="more">
        <h2 id="more">More</h2>
        <ul>
          <li>
            <a href="/account">Your account</a>: the clients that act for you, and your keys
          </li>
          <li>
            <a href="/admin">The dashboard</a>, for administrators
          </li>
          <li>
            <code>docs/</code> beside the source: <code>connect.md</code> goes through it client by client,{" "}
            <code>errors.md</code> has every refusal
          </li>
        </ul>
        <p class="quiet">
          {product} {version}
        </p>
      </section>
    </>,
  );
}

function Code({ label, children }: { label: string; children: Child }) {
  return (
    <pre tabindex={0} role="region" aria-label={label}>
      <code>{children}</code>
    </pre>
  );
}

const clients = (
  mcp: string,
  isLocal: boolean,
  isOpen: boolean,
): { name: string; how: Child; code?: string }[] => [
  {
    name: "Claude, on the web and in the app",
    how: `Settings → Connectors → Add custom connector, with ${isLocal ? "the address of a deployed one" : "the address above"}.`,
  },
  {
    name: "Claude Code",
    how: isOpen ? "In a terminal:" : "In a terminal; then /mcp to sign in.",
    code: `claude mcp add --transport http product-catalog ${mcp}`,
  },
  {
    name: "Claude Desktop, over stdio",
    how: "In claude_desktop_config.json, after npm install in a clone of the source:",
    code: JSON.stringify(STDIO, null, 2),
  },
  {
    name: "ChatGPT",
    how: `Settings → Apps & Connectors → Advanced → Developer mode; then Create, with ${isLocal ? "the address of a deployed one" : "the address above"}.`,
  },
  {
    name: "Cursor",
    how: "In ~/.cursor/mcp.json:",
    code: JSON.stringify({ mcpServers: { "product-catalog": { url: mcp } } }, null, 2),
  },
  {
    name: "VS Code",
    how: "In a terminal:",
    code: `code --add-mcp '${JSON.stringify({ name: "product-catalog", type: "http", url: mcp })}'`,
  },
  { name: "curl", how: "In a terminal, where there is no client yet:", code: curl(mcp) },
];

const STDIO = {
  mcpServers: {
    "product-catalog": {
      command: "node",
      args: ["/path/to/product-catalog-mcp/bin/product-catalog-mcp.mjs"],
    },
  },
};
