import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withTexts } from "../../cli/local/wrangler-dev.ts";
import { type Ended, type Running, endGroups, start } from "../node/support/processes.ts";
import { freePort } from "../node/support/free-port.ts";
import { copyProject, writeExamples } from "./support/project-copy.ts";

let project: string;
let dev: Running;
let url: string;

const environment = () => ({
  WRANGLER_SEND_METRICS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  // wrangler's build command runs in this environment.
  VITEST: "",
});

beforeAll(async () => {
  project = await copyProject();
  await writeExamples(project);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const wrangler = join(project, "node_modules/wrangler/bin/wrangler.js");
  dev = start(process.execPath, [wrangler, "dev", "--port", String(port)], {
    cwd: project,
    ownGroup: true,
    env: { ...environment(), PATH: `${resolve("node_modules/.bin")}:${process.env["PATH"] ?? ""}` },
  });
  await dev.prints("Ready on");
}, 240_000);
afterAll(async () => {
  await endGroups();
  await rm(project, { recursive: true });
});

const runWith = (env: Record<string, string>, ...args: string[]): Promise<Ended> =>
  start(process.execPath, [join(project, "bin/product-catalog-mcp.mjs"), ...args], {
    cwd: project,
    env: { ...environment(), ...env },
  }).ended;
const run = (...args: string[]): Promise<Ended> => runWith({}, ...args);

describe("npx wrangler dev", { timeout: 240_000 }, () => {
  it("answers from the sample, and the commands find it", async () => {
    const asked = await run("ask", "wireless keyboard");
    expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining("SKU-10001") });
    const users = await run("users", "list");
    expect(users.stdout).toContain("user-admin");
    expect((await run("keys", "list")).code).toBe(0);
    expect((await run("audit", "list")).code).toBe(0);
  });

  it("takes an import, which it serves at once", async () => {
    const line = {
      sku: "OWN-1",
      name: "Zebra umbrella",
      category: "Rain",
      price_minor: 1990,
      currency: "EUR",
    };
    await writeFile(join(project, "own.jsonl"), `${JSON.stringify(line)}\n`);
    const imported = await run("import", join(project, "own.jsonl"));
    expect(imported).toMatchObject({ code: 0, stdout: expect.stringContaining("Imported 1 product") });
    expect((await run("ask", "zebra umbrella")).stdout).toContain("OWN-1");
    expect((await run("users", "bootstrap", "boss")).stdout).toContain("pcm_");
    // No second runtime has opened the folder.
    expect(existsSync(join(project, ".wrangler/state/product-catalog.lock"))).toBe(false);
  });

  it("is no second runtime's neighbour where commands can't find it", async () => {
    const env = { CATALOG_DEV_URL: `http://127.0.0.1:${await freePort()}` };
    for (const args of [
      ["import", join(project, "own.jsonl")],
      ["users", "list"],
      ["ask", "umbrella"],
      ["dev"],
    ]) {
      const { code, stdout, stderr } = await runWith(env, ...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toContain("set CATALOG_DEV_URL to the URL that it prints");
    }
  });

  it("keeps npm run dev from its folder", async () => {
    const second = await run("dev", "--port", String(await freePort()));
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`in use by a server at ${url}`);
  });
});

it("a statement for wrangler's explorer has only texts as parameters", () => {
  const sql = "INSERT INTO t VALUES (?2, ?1, ?3, ?2, ?4)";
  expect(withTexts({ sql, values: ["a", -1, null, "it's ?1"] })).toEqual({
    sql: "INSERT INTO t VALUES ((-1), ?1, NULL, (-1), ?2)",
    params: ["a", "it's ?1"],
  });
});
