import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";

const run = promisify(execFile);
const TOKEN = "pcm_the-token-itself";
const SECRET = "pcs_the-secret-itself";
const URL = "https://catalog.example.com/mcp";
const CALL = ["--key-id", "sign-1", "--tool", "query_stock", "--arguments", '{"skus":["SKU-1"]}'];

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "catalog-sign-test-"))));
afterAll(() => rm(folder, { recursive: true }));

const sign = (args: string[], environment: Record<string, string> = {}) =>
  run(process.execPath, ["cli/sign.ts", ...args], {
    env: { CATALOG_ACCESS_KEY: TOKEN, CATALOG_SIGNING_SECRET: SECRET, ...environment },
  });

describe.concurrent("sign says what to do:", () => {
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
    ["nothing to send", [URL, "--key-id", "sign-1"], {}, "Give either --tool with --arguments, or --body"],
    ["two things to send", [URL, ...CALL, "--body", "x"], {}, "Give either --tool"],
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
    await expect(sign(args, environment)).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining(words),
    });
  });
});

describe("sign sends", () => {
  const received: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    received.push(request.headers);
    response.end("{}");
  });
  let url: string;
  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${z.object({ port: z.int() }).parse(server.address()).port}/mcp`;
  });
  afterAll(() => server.close());

  it("a call of the newest revision, whose headers its signature covers", async () => {
    const { stdout } = await sign([`${url}#part`, ...CALL]);
    const headers = received.at(-1);
    expect(headers).toMatchObject({ authorization: `Bearer ${TOKEN}`, "mcp-name": "query_stock" });
    expect(headers?.["signature-input"]).toMatch(
      /sig1=\("@method" "@target-uri" "content-digest" "content-type" "authorization" "mcp-method" "mcp-name"\);created=\d+;expires=\d+;nonce="[\w-]{22}";keyid="sign-1";tag="product-catalog-mcp"/,
    );
    expect(`${JSON.stringify(headers)}${stdout}`).not.toContain(SECRET);
  });

  it("none of the newest revision's headers on an older revision and for a batch", async () => {
    const file = join(folder, "batch.json");
    await writeFile(file, '[{"jsonrpc":"2.0","id":1,"method":"ping"}]');
    for (const args of [
      [...CALL, "--protocol", "2025-11-25"],
      ["--key-id", "sign-1", "--body", file],
    ]) {
      await sign([url, ...args]);
      expect(Object.keys(received.at(-1) ?? {}).filter((name) => name.startsWith("mcp-"))).toEqual([]);
    }
  });
});
