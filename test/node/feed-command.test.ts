import { once } from "node:events";
import { createServer } from "node:http";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { demoKeys } from "../../cli/local/demo-users.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { runCommand } from "./support/run-command.ts";

// The command against the real Worker, which fetches from a server on this machine as if it were public.

let state: string;
let server: LocalServer;
const files = new Map<string, Buffer>();
const shop = createServer(({ url = "" }, response) => {
  const file = files.get(url.split("?", 1)[0] ?? "");
  response.writeHead(file === undefined ? 404 : 200).end(file);
});
let shopUrl: string;

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "catalog-feed-"));
  shop.listen(0, "127.0.0.1");
  await once(shop, "listening");
  const { port } = z.object({ port: z.int() }).parse(shop.address());
  shopUrl = `http://127.0.0.1:${port}`;
  server = await startServer({ stateDir: state, loopbackAgents: true });
  await demoKeys(server, state);
});
afterAll(async () => {
  await server.close();
  shop.close();
  await rm(state, { recursive: true });
});

const feed = (...args: string[]) => runCommand("feed", ["--state", state, ...args]);
const rowsSchema = z.array(
  z.looseObject({
    id: z.string(),
    name: z.string(),
    outcome: z.string().nullable(),
    paused_at: z.string().nullable(),
  }),
);
const list = async () => rowsSchema.parse(JSON.parse((await feed("list", "--json")).stdout));
const productSchema = z.object({ sku: z.string(), description: z.string().default("") });
const madeSchema = z.object({ id: z.string() });

it.each([
  ["google.tsv", "google", []],
  ["google.rss.xml", "google", []],
  ["shopify.csv", "shopify", ["--currency", "EUR"]],
  ["acp.json", "acp", []],
])("adds a feed of %s, and the Worker imports it as the command import does", async (name, from, more) => {
  files.set(`/${name}.gz`, gzipSync(await readFile(`test/node/import-files/${name}`)));
  const added = await feed("add", `${shopUrl}/${name}.gz?token=secret`, "--from", from, ...more, "--json");
  expect(added).toMatchObject({ code: 0, stderr: "" });
  const { id } = madeSchema.parse(JSON.parse(added.stdout));
  const outcomes = () =>
    server.batch([{ sql: "SELECT outcome FROM deliveries WHERE source = ?1", values: [id] }]);
  await expect.poll(outcomes, { timeout: 30_000, interval: 200 }).toEqual([[{ outcome: "applied" }]]);
  const expected = (await readFile(`test/node/import-files/${from}.expected.jsonl`, "utf8"))
    .trim()
    .split("\n")
    .map((line) => productSchema.parse(JSON.parse(line)))
    .toSorted((a, b) => (a.sku < b.sku ? -1 : 1));
  const [rows] = await server.batch([
    {
      sql: "SELECT sku, description FROM products WHERE sku IN (SELECT value FROM json_each(?1)) ORDER BY sku",
      values: [JSON.stringify(expected.map(({ sku }) => sku))],
    },
  ]);
  // Descriptions of HTML are texts, which the bundle's own merge of options takes part in.
  expect(rows).toEqual(expected);
});

it("pauses, resumes and removes a feed, and shows no token", async () => {
  const [first] = await list();
  const id = first?.id ?? "";
  expect(await feed("pause", id)).toMatchObject({ code: 0, stdout: `Done: ${id}\n` });
  await expect.poll(async () => (await list()).find((row) => row.id === id)?.paused_at).not.toBeNull();
  // A feed is fetched after the command has ended.
  expect(await feed("resume", id)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Started .*feed list/),
  });
  expect(await feed("show", id)).toMatchObject({ code: 0, stdout: "No delivery waits.\n" });
  expect(await feed("apply", id, "seen-before")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("not in a state"),
  });
  const shown = await feed("list");
  expect(shown.stdout).toContain("6h");
  expect(shown.stdout).not.toContain("secret");
  expect(await feed("remove", id)).toMatchObject({ code: 0 });
  expect((await list()).map((row) => row.id)).not.toContain(id);
  expect(await feed("run", id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("npx product-catalog-mcp feed list"),
  });
});

it("refuses an address that is not public", async () => {
  expect(await feed("add", "https://10.0.0.7/feed.xml")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("public host name"),
  });
});
