import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { generateProducts } from "../../cli/sample/generate.ts";
import { count, jsonl, product, readReport, runImport, seed, snapshot } from "../node/support/imports.ts";
import { start } from "../node/support/processes.ts";

// One server serves the whole file; every command finds it by its lock.
let folder: string;
let state: string;
let server: LocalServer;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-broken-test-"));
  state = at("state");
  server = await startServer({ stateDir: state, onLog: () => {} });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe("a file that cannot be read to its end", () => {
  const rows = [...generateProducts(1_200, 3)];
  const csvRows = rows.map(({ sku, name, category, price_minor }) =>
    [sku, name, category, price_minor, "USD"].join(),
  );
  const csv = ["sku,name,category,price_minor,currency", ...csvRows].join("\n");
  const zipped = gzipSync(jsonl(rows));
  const cut = (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length * 0.9));
  const changedAt = (offset: number) => {
    const bytes = Buffer.from(zipped);
    const index = offset < 0 ? bytes.length + offset : offset;
    bytes.writeUInt8(bytes.readUInt8(index) ^ 0xff, index);
    return bytes;
  };
  const badRows = jsonl(Array.from({ length: 25 }, (_, index) => ({ sku: `B-${index}` })));
  const FULL = /cut off/;
  const DAMAGED = /^The gzip data is damaged\.$/m;

  let before: Awaited<ReturnType<typeof snapshot>>;
  beforeAll(async () => {
    await seed(server, [product({ sku: "OLD-1" })]);
    await mkdir(at("folder"));
    before = await snapshot(server);
  });

  it.each([
    { what: "a gzip that ends early", name: "t.jsonl.gz", contents: cut(zipped), says: FULL },
    { what: "a CSV gzip that ends early", name: "t.csv.gz", contents: cut(gzipSync(csv)), says: FULL },
    { what: "a damaged gzip", name: "d.jsonl.gz", contents: changedAt(-6), says: DAMAGED },
    { what: "a gzip with a wrong length", name: "l.jsonl.gz", contents: changedAt(-2), says: DAMAGED },
    { what: "a gzip with a damaged header", name: "h.jsonl.gz", contents: changedAt(2), says: DAMAGED },
    { what: "a CSV whose quote never closes", name: "q.csv", contents: `${csv}\nX,"y`, says: /never closes/ },
    {
      what: "an empty file",
      name: "empty.jsonl",
      contents: "",
      flags: ["--remove-missing"],
      says: /has no rows/,
    },
    {
      what: "a file without a good row",
      name: "b.jsonl",
      contents: badRows,
      flags: ["--remove-missing"],
      says: /25 bad rows/,
    },
    { what: "a file that is missing", name: "nowhere.jsonl", says: /nowhere\.jsonl/ },
    { what: "a folder", name: "folder", says: /folder can.t be read: it is a folder/ },
    {
      what: "an unknown format",
      name: "f.csv",
      contents: csv,
      flags: ["--format", "xlsx"],
      says: /--format .*xlsx/,
    },
    {
      what: "an empty mapping",
      name: "m.csv",
      contents: csv,
      flags: ["--map", "sku"],
      says: /--map .*sku/,
    },
    {
      what: "a mapping to an unknown column",
      name: "c.csv",
      contents: csv,
      flags: ["--map", "sku=ArticleNo"],
      says: /no column ArticleNo/,
    },
  ])("leaves the catalog unchanged: $what", async ({ name, contents, flags = [], says }) => {
    if (contents !== undefined) await writeFile(at(name), contents);
    const { code, stdout, stderr } = await runImport(state, [at(name), ...flags]);
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(says);
    expect(stdout + stderr).not.toMatch(/^\s+at |node:internal/m);
    expect(stderr.split("\n").filter((line) => line.startsWith("line ")).length).toBeLessThanOrEqual(20);
    expect(await snapshot(server)).toEqual(before);
  });

  it("leaves nothing staged", async () => {
    expect(await count(server, "import_rows")).toBe(0);
    expect(await count(server, "imports")).toBe(0);
  });
});

it("bad rows need bounded memory, even for a line of 200 MB", async () => {
  const chunk = Buffer.alloc(1024 * 1024, "x");
  function* input() {
    yield `${JSON.stringify(product({ sku: "BEFORE" }))}\n`;
    for (let megabytes = 0; megabytes < 200; megabytes++) yield chunk;
    yield `\n${JSON.stringify(product({ sku: "AFTER" }))}\n`;
  }
  const measure = `process.on("exit", () => console.error("KiB:", process.resourceUsage().maxRSS))`;
  const command = ["cli/import.ts", "-", "--json", "--state", state];
  const preload = `data:text/javascript,${encodeURIComponent(measure)}`;
  const run = await start(process.execPath, ["--import", preload, ...command], { input: input() }).ended;
  expect(readReport(run)).toMatchObject({ rows: 2, bad: 1, applied: true });
  expect(run.stderr).toMatch(/^line 2: .*long/);
  const kibibytes = Number(run.stderr.match(/KiB: (\d+)/)?.[1]);
  expect(kibibytes).toBeGreaterThan(0);
  expect(kibibytes).toBeLessThan(400 * 1024);
});
