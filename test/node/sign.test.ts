import { type IncomingHttpHeaders, createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listenOn } from "./support/listen-on.ts";
import { runCommand } from "./support/run-command.ts";

const TOKEN = "pcm_the-token-itself";
const SECRET = "pcs_the-secret-itself";
const URL = "https://catalog.example.com/mcp";
const CALL = ["--key-id", "sign-1", "--tool", "query_stock", "--arguments", '{"skus":["SKU-1"]}'];

const sign = (args: string[], environment: Record<string, string> = {}) =>
  runCommand("sign", args, {
    env: { CATALOG_ACCESS_KEY: TOKEN, CATALOG_SIGNING_SECRET: SECRET, ...environment },
  });

describe("sign says what to do:", () => {
  it.each<[string, string[], Record<string, string>, string]>([
    [
      "no token",
      [URL, ...CALL],
      { CATALOG_ACCESS_KEY: "" },
      "Set CATALOG_ACCESS_KEY to the access key, or give --token-file",
    ],
    ["no secret", [URL, ...CALL], { CATALOG_SIGNING_SECRET: " " }, "Set CATALOG_SIGNING_SECRET"],
    ["a secret of an unknown kind", [URL, ...CALL], { CATALOG_SIGNING_SECRET: "abc" }, "begins with pcs_"],
    ["no key", [URL, "--tool", "x"], {}, "--key-id"],
    ["no tool", [URL, "--key-id", "sign-1"], {}, "--tool"],
    [
      "arguments that are no object",
      [URL, "--key-id", "s", "--tool", "x", "--arguments", "[]"],
      {},
      "is not a JSON object",
    ],
    ["http elsewhere", ["http://catalog.example.com/mcp", ...CALL], {}, "Use https"],
    ["an invalid URL", ["catalog.example.com/mcp", ...CALL], {}, "is not a URL"],
    ["an unreachable server", ["http://127.0.0.1:1/mcp", ...CALL], {}, "does not answer"],
  ])("%s", async (_, args, environment, words) => {
    expect(await sign(args, environment)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining(words),
    });
  });
});

describe("sign", () => {
  const received: IncomingHttpHeaders[] = [];
  const refusal = { error: { code: -32001, message: "The signature was used before." } };
  const server = createServer((request, response) => {
    received.push(request.headers);
    response.writeHead(401, { "content-type": "application/json" }).end(JSON.stringify(refusal));
  });
  let url: string;
  beforeAll(async () => {
    url = `${await listenOn(server)}/mcp`;
  });
  afterAll(() => server.close());

  it("covers the headers of the newest revision, and prints the server's refusal", async () => {
    expect(await sign([`${url}#part`, ...CALL])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `${refusal.error.message}\n`,
    });
    const [headers] = received;
    expect(headers).toMatchObject({ authorization: `Bearer ${TOKEN}` });
    expect(headers?.["signature-input"]).toMatch(
      /sig1=\("@method" "@target-uri" "content-digest" "content-type" "authorization" "mcp-method"\);created=\d+;expires=\d+;nonce="[\w-]{22}";keyid="sign-1";tag="product-catalog-mcp"/,
    );
    expect(JSON.stringify(received)).not.toContain(SECRET);
  });
});
