import { mkdtemp, rm } from "node:fs/promises";
import { type RequestListener, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { UCP_PATH } from "../../src/http/well-known.ts";
import { listenOn } from "../node/support/listen-on.ts";

// Shopping agents whose profiles are on servers that do not behave, over real connections.

const PROFILE = JSON.stringify({
  ucp: {
    version: "2026-08-25",
    capabilities: { "dev.ucp.shopping.catalog.lookup": [{ version: "2026-08-25" }] },
  },
});

const pages: Record<string, RequestListener> = {
  "/good": (_, response) => response.end(PROFILE),
  "/silent": () => {},
  "/dripping": (_, response) => {
    const timer = setInterval(() => response.write(" "), 100);
    response.on("close", () => clearInterval(timer));
  },
  "/endless": (_, response) => {
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", more);
    more();
  },
  "/moved": (_, response) => response.writeHead(302, { location: "/good" }).end(),
  "/cut": (request) => request.socket.destroy(),
};
const asked: string[] = [];
const agents = createServer((request, response) => {
  asked.push(request.url ?? "");
  pages[(request.url ?? "").replace(/\?.*/, "")]?.(request, response);
});

let folder: string;
let server: LocalServer;
let origin: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-agents-test-"));
  origin = await listenOn(agents);
  server = await startServer({ stateDir: folder, loopbackAgents: true });
}, 120_000);
afterAll(async () => {
  await server.close();
  agents.closeAllConnections();
  agents.close();
  await rm(folder, { recursive: true });
});

const answerSchema = z.object({
  result: z.looseObject({}).optional(),
  error: z.object({ data: z.object({ code: z.string(), retryable: z.boolean() }) }).optional(),
});

async function ask(path: string) {
  const began = performance.now();
  const response = await fetch(`${server.url}${UCP_PATH}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: {
        name: "lookup_catalog",
        arguments: { meta: { "ucp-agent": { profile: `${origin}${path}` } }, catalog: { ids: ["SKU-1"] } },
      },
    }),
  });
  const { result, error } = answerSchema.parse(await response.json());
  const outcome = result === undefined ? error?.data : "ok";
  return { status: response.status, outcome, seconds: (performance.now() - began) / 1000 };
}

it.each([
  ["/good", 200, "ok"],
  ["/silent", 424, { code: "profile_unreachable", retryable: true }],
  ["/dripping", 424, { code: "profile_unreachable", retryable: true }],
  ["/endless", 422, { code: "profile_malformed", retryable: false }],
  ["/moved", 424, { code: "profile_unreachable", retryable: true }],
  ["/cut", 424, { code: "profile_unreachable", retryable: true }],
])("a profile at %s answers %i within the deadline, and is fetched once", async (path, status, outcome) => {
  for (let calls = 0; calls < 2; calls++) {
    const answer = await ask(path);
    expect(answer).toMatchObject({ status, outcome });
    expect(answer.seconds).toBeLessThan(5);
  }
  expect(asked.filter((each) => each === path)).toEqual([path]);
});

it("follows no redirect", async () => {
  const before = asked.length;
  await ask("/moved?again");
  expect(asked.slice(before)).toEqual(["/moved?again"]);
});
