import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { type Cloud, startCloud } from "../node/support/cloud.ts";
import { WRANGLER } from "../../cli/wrangler.ts";
import { type Ended, start, startCommand } from "../node/support/processes.ts";

// The real wrangler against a stand-in of Cloudflare's API; test/node/support/cloud.ts says why.

let cloud: Cloud;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "catalog-home-"));
});
beforeEach(async () => {
  cloud = await startCloud();
  return () => cloud.close();
});
afterAll(() => rm(home, { recursive: true }));

const environment = () => ({
  CLOUDFLARE_API_BASE_URL: cloud.url,
  CLOUDFLARE_API_TOKEN: "a-token",
  // The folder of wrangler's logs and of the account that it remembers.
  XDG_CONFIG_HOME: home,
  WRANGLER_CACHE_DIR: join(home, "cache"),
});

const deploy = (...args: string[]): Promise<Ended> =>
  startCommand("deploy", ["--wait", "0", ...args], { env: environment() }).ended;

const WORKER = "/workers/scripts/product-catalog-mcp";
const EVERYTHING = [
  `POST ${WORKER}/assets-upload-session`,
  "POST /workers/assets/upload",
  "POST /storage/kv/namespaces",
  "POST /d1/database",
  `PUT ${WORKER}`,
  `POST ${WORKER}/subdomain`,
];

const reportSchema = z.object({
  changed: z.boolean(),
  mcpUrl: z.string().nullable(),
  setupUrl: z.string().nullable(),
  steps: z.array(z.object({ action: z.string() })),
});
const report = ({ stdout }: Ended) => {
  const { steps, ...rest } = reportSchema.parse(JSON.parse(stdout));
  return { ...rest, actions: steps.map(({ action }) => action) };
};

describe("npm run deploy", () => {
  it("creates everything in order; resumes after a failed upload, whose reason it says; then changes nothing", async () => {
    cloud.refuseNext(`PUT ${WORKER}`);
    const broken = await deploy("--json");
    expect(broken.code).toBe(1);
    expect(JSON.parse(broken.stdout)).toEqual({
      error: { message: expect.stringContaining("Authentication error [code: 10000]") },
    });
    expect(broken.stderr).toContain("Worker product-catalog-mcp: wrangler deploy failed:");
    expect(broken.stderr).toContain("Authentication error [code: 10000]");
    expect(broken.stderr).toContain("It needs Edit on Workers Scripts, Workers KV Storage and D1");
    expect(broken.stderr).toContain("Fix this and run npm run deploy again");
    expect(broken.stderr).not.toMatch(/^\s+at /m);
    expect(cloud.writes()).toEqual(EVERYTHING.slice(0, 5));
    const [store] = cloud.stores.values();

    cloud.calls.length = 0;
    const again = await deploy("--json");
    expect(report(again)).toEqual({
      changed: true,
      mcpUrl: "https://product-catalog-mcp.example.workers.dev/mcp",
      setupUrl: "https://product-catalog-mcp.example.workers.dev/setup",
      actions: ["connect", "connect", "deploy"],
    });
    // Everything created before the upload already exists.
    expect(cloud.writes()).toEqual([EVERYTHING[0], ...EVERYTHING.slice(4)]);
    const bindings = cloud.versions.at(-1)?.bindings;
    expect(bindings?.find(({ type }) => type === "kv_namespace")).toMatchObject({
      name: "OAUTH_KV",
      namespace_id: store,
    });
    expect(bindings?.find(({ name }) => name === "DEPLOYED_COMMIT")).toMatchObject({
      text: expect.stringMatching(/^[0-9a-f]{12}\+?$/),
    });
    expect(await readdir(".")).not.toContain(".wrangler-connect.toml");
    // The Worker makes its own secret key.
    expect([...cloud.secrets]).toEqual([]);

    cloud.calls.length = 0;
    const last = await deploy("--json");
    expect(report(last)).toMatchObject({ changed: false, actions: ["keep", "keep", "keep"] });
    expect(cloud.writes()).toEqual([]);
  });

  it("leaves another project's database alone", async () => {
    cloud.databases.set("catalog", {
      uuid: "9f3b1f0e-0000-4000-8000-000000000000",
      tables: ["albums", "_cf_KV"],
    });
    const ended = await deploy();
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("Set another database_name in wrangler.toml");
    expect(cloud.writes()).toEqual([]);
  });

  it("shows the steps with --dry-run, and writes nothing", async () => {
    const { code, stdout } = await deploy("--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/D1 database +│ catalog +│ create /);
    expect(stdout).toContain("Nothing was changed.");
    expect(cloud.writes()).toEqual([]);
  });

  it("shows the steps without a login too, and asks for one otherwise", async () => {
    const env = { CLOUDFLARE_API_TOKEN: "", CLOUDFLARE_API_BASE_URL: cloud.url, XDG_CONFIG_HOME: home };
    const shown = await startCommand("deploy", ["--dry-run", "--json"], { env }).ended;
    expect(report(shown).actions).toEqual(["create", "create", "deploy"]);
    const refused = await startCommand("deploy", [], { env }).ended;
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("npx wrangler login") });
    expect(cloud.calls).toEqual([]);
  });
});

describe("npx wrangler deploy", () => {
  it("creates everything that the Worker needs, and npm run deploy takes over from it", async () => {
    const env = { ...environment(), CI: "true" };
    const plain = await start(process.execPath, [WRANGLER, "deploy"], { env }).ended;
    expect(plain.code).toBe(0);
    expect(cloud.writes()).toEqual(EVERYTHING);
    expect(cloud.versions.at(-1)?.bindings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: "d1", name: "DB" }),
        expect.objectContaining({ type: "kv_namespace", name: "OAUTH_KV" }),
        expect.objectContaining({ type: "durable_object_namespace", class_name: "ServerSetup" }),
      ]),
    );
    expect([...cloud.secrets]).toEqual([]);
    // It recorded no digest.
    expect(report(await deploy("--dry-run", "--json")).actions).toEqual(["keep", "keep", "deploy"]);
  });
});
