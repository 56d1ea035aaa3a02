import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { type Cloud, startCloud } from "../node/support/cloud.ts";
import { type Ended, startCommand } from "../node/support/processes.ts";

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

const deploy = (...args: string[]): Promise<Ended> =>
  startCommand("deploy", ["--wait", "0", ...args], {
    env: {
      CLOUDFLARE_API_BASE_URL: cloud.url,
      CLOUDFLARE_API_TOKEN: "a-token",
      // The folder of wrangler's logs and of the account that it remembers.
      XDG_CONFIG_HOME: home,
      WRANGLER_CACHE_DIR: join(home, "cache"),
      // An operator may have set this, and it must not reveal secrets.
      WRANGLER_LOG: "debug",
      WRANGLER_LOG_SANITIZE: "false",
    },
  }).ended;

const WORKER = "/workers/scripts/product-catalog-mcp";
const EVERYTHING = [
  `POST ${WORKER}/assets-upload-session`,
  "POST /workers/assets/upload",
  "POST /storage/kv/namespaces",
  "POST /d1/database",
  `PUT ${WORKER}`,
  `POST ${WORKER}/subdomain`,
  `PUT ${WORKER}/secrets`,
];

const reportSchema = z.object({
  changed: z.boolean(),
  mcpUrl: z.string().nullable(),
  steps: z.array(z.object({ action: z.string() })),
});
const report = ({ stdout }: Ended) => {
  const { steps, ...rest } = reportSchema.parse(JSON.parse(stdout));
  return { ...rest, actions: steps.map(({ action }) => action) };
};

describe("npm run deploy", () => {
  it("creates everything in order from nothing, and nothing the second time", async () => {
    const first = await deploy("--json");
    expect(report(first)).toEqual({
      changed: true,
      mcpUrl: "https://product-catalog-mcp.example.workers.dev/mcp",
      actions: ["create", "create", "deploy", "make"],
    });
    expect(cloud.writes()).toEqual(EVERYTHING);

    const [secret = "", ...others] = cloud.secrets.values();
    expect(others).toEqual([]);
    expect(Buffer.from(secret, "base64")).toHaveLength(32);
    // wrangler's output file holds its arguments, and its debug log the requests.
    const printed = [first.stdout, first.stderr, ...(await logs())].join("\n");
    expect(printed).toContain(`${WORKER}/secrets`);
    expect(printed).not.toContain(secret);

    cloud.calls.length = 0;
    const second = await deploy("--json");
    expect(report(second)).toMatchObject({ changed: false, actions: ["keep", "keep", "keep", "keep"] });
    expect(cloud.writes()).toEqual([]);
    expect([...cloud.secrets.values()]).toEqual([secret]);
  });

  it("stops if the upload fails, says what to do, and resumes from there", async () => {
    cloud.refuseNext(`PUT ${WORKER}`);
    const broken = await deploy("--json");
    expect(broken).toMatchObject({ code: 1, stdout: "" });
    expect(broken.stderr).toContain("Worker product-catalog-mcp: wrangler deploy failed:");
    expect(broken.stderr).toContain("Authentication error [code: 10000]");
    expect(broken.stderr).toContain("It needs Edit on Workers Scripts, Workers KV Storage and D1");
    expect(broken.stderr).toContain("Fix this and run npm run deploy again");
    expect(broken.stderr).not.toMatch(/^\s+at /m);
    const [store] = cloud.stores.values();

    cloud.calls.length = 0;
    const again = await deploy("--json");
    expect(report(again)).toMatchObject({ actions: ["connect", "connect", "deploy", "make"] });
    // Everything created before the upload already exists.
    expect(cloud.writes()).toEqual([EVERYTHING[0], ...EVERYTHING.slice(4)]);
    const bound = cloud.versions.at(-1)?.bindings.find(({ type }) => type === "kv_namespace");
    expect(bound).toMatchObject({ name: "OAUTH_KV", namespace_id: store });
    expect(await readdir(".")).not.toContain(".wrangler-connect.toml");
  });

  it("creates only the secret if only that had failed", async () => {
    cloud.refuseNext(`PUT ${WORKER}/secrets`);
    const broken = await deploy();
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain(
      "Already done: D1 database catalog, KV namespace product-catalog-mcp-oauth-kv, Worker product-catalog-mcp.",
    );
    cloud.calls.length = 0;
    expect(report(await deploy("--json")).actions).toEqual(["keep", "keep", "keep", "make"]);
    expect(cloud.writes()).toEqual([`PUT ${WORKER}/secrets`]);
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
    expect(report(shown).actions).toEqual(["create", "create", "deploy", "make"]);
    const refused = await startCommand("deploy", [], { env }).ended;
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("npx wrangler login") });
    expect(cloud.calls).toEqual([]);
  });
});

async function logs(): Promise<string[]> {
  const files = await readdir(home, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  expect(paths.length).toBeGreaterThan(1);
  return Promise.all(paths.map((path) => readFile(path, "utf8")));
}
