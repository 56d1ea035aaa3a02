import { createServer } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listenOn } from "./support/listen-on.ts";
import { runCommand } from "./support/run-command.ts";

interface Answer {
  status: number;
  type: string;
  body: string;
}

/**
 * The server's answer to a request with a key; without one it answers as to a message that it cannot read.
 */
let answer: Answer;
const paths: string[] = [];
const withoutKey: Answer = { status: 400, type: "text/plain", body: "The body is not JSON." };
const server = createServer((request, response) => {
  paths.push(request.url ?? "");
  const { status, type, body } = request.headers.authorization === undefined ? withoutKey : answer;
  response.writeHead(status, { "content-type": type }).end(body);
});
let url: string;

beforeAll(async () => {
  url = `${await listenOn(server)}/mcp`;
});
afterAll(() => server.close());

it.each([
  {
    what: "a refused key",
    given: {
      status: 401,
      type: "application/json",
      body: JSON.stringify({ error: "invalid_token", error_description: "key_revoked: it was revoked" }),
    },
    said: "rejects the access key in CATALOG_ACCESS_KEY: key_revoked: it was revoked.",
  },
  {
    what: "a path that does not exist",
    given: { status: 404, type: "text/plain", body: "Not found.\n\u001b[2JThe MCP endpoint is /mcp.\n" },
    said: "answers, but it is not an MCP server that accepts this call (HTTP 404): Not found. The MCP endpoint is /mcp.",
  },
  {
    what: "a JSON-RPC error",
    given: { status: 503, type: "application/json", body: '{"error":{"code":1,"message":"Not now"}}' },
    said: "answers, but it is not an MCP server that accepts this call (HTTP 503): Not now.",
  },
  {
    what: "no text of an HTML page",
    given: { status: 502, type: "text/html", body: "<html>Bad gateway</html>" },
    said: "answers, but it is not an MCP server that accepts this call (HTTP 502).",
  },
])("ask reports the server's answer: $what", async ({ given, said }) => {
  answer = given;
  const ask = runCommand("ask", ["keyboard", "--url", url], { env: { CATALOG_ACCESS_KEY: "a-key" } });
  expect(await ask).toEqual({ code: 1, stdout: "", stderr: `${url} ${said}\n` });
});

it.each(["", "/mcp/", "/ucp/mcp"])(
  "ask --ucp asks the UCP endpoint of the server, whichever of its addresses is given: %s",
  async (path) => {
    paths.length = 0;
    answer = { status: 404, type: "text/plain", body: "Not found." };
    const ask = runCommand("ask", ["keyboard", "--ucp", "--url", `${new URL(url).origin}${path}`], {
      env: { CATALOG_ACCESS_KEY: "a-key" },
    });
    const { code, stderr } = await ask;
    expect(code).toBe(1);
    expect(stderr).toContain(`${new URL(url).origin}/ucp/mcp answers`);
    expect(new Set(paths)).toEqual(new Set(["/ucp/mcp"]));
  },
);
