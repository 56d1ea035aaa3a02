import { readFile, readdir } from "node:fs/promises";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { readWranglerConfig } from "../../cli/local/wrangler-config.ts";
import { readSettings } from "../../src/env.ts";
import { DISCOVERY, describeServer } from "../../src/http/discovery.ts";

// The files and answers by which others find this server, against the published schemas. test/node/support/mcp-schemas has those
// of the registry (2025-12-11) and of server cards (as of 2026-07-24) without their texts, under the licenses beside them.

const read = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8"));
const schema = async (name: string) =>
  z.looseObject({}).parse(await read(`test/node/support/mcp-schemas/${name}`));

const packageSchema = z.object({
  name: z.string(),
  version: z.string(),
  scripts: z.object({ deploy: z.string() }),
  repository: z.object({ url: z.string() }),
  cloudflare: z.object({ bindings: z.record(z.string(), z.object({ description: z.string().min(20) })) }),
});
const manifest = packageSchema.parse(await read("package.json"));
const repository = manifest.repository.url.replace(/^git\+|\.git$/g, "");
const serverSchema = z.looseObject({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  version: z.string(),
  repository: z.looseObject({ url: z.string() }),
  remotes: z.tuple([z.looseObject({ headers: z.array(z.looseObject({ name: z.string() })) })]),
});
const server = serverSchema.parse(await read("server.json"));

describe("server.json", () => {
  it("is valid by the registry's schema, which refuses a wrong one", async () => {
    const ajv = new Ajv({ strict: false });
    addFormats.default(ajv);
    const validate = ajv.compile(await schema("server-2025-12-11.json"));
    expect([validate(server), validate.errors]).toEqual([true, null]);
    for (const wrong of [{ name: "no slash" }, { remotes: [{ type: "http", url: "x" }] }, { title: "" }])
      expect(validate({ ...server, ...wrong })).toBe(false);
  });

  it("agrees with package.json and the server card", async () => {
    expect(server.version).toBe(manifest.version);
    expect(server.repository.url).toBe(repository);
    const [, owner] = /^https:\/\/github\.com\/([^/]+)\//.exec(repository) ?? [];
    expect(server.name).toBe(`io.github.${owner}/${manifest.name}`);
    const card = z.looseObject({}).parse(await (await cardAt("https://shop.example")).json());
    expect(card).toMatchObject({
      title: server.title,
      description: server.description,
      version: server.version,
    });
  });
});

/** The files of public/, as the Worker's binding serves them. */
const assets = {
  fetch: async (url: string) => new Response(await readFile(`public${new URL(url).pathname}`, "utf8")),
};

async function cardAt(origin: string, isPublic = false): Promise<Response> {
  const request = new Request(`${origin}/mcp/server-card`);
  const file = DISCOVERY.get("/mcp/server-card");
  if (file === undefined) throw new Error("There is no server card.");
  return describeServer(request, assets, file, { origin, isPublic });
}

describe("the server card", () => {
  it.each([
    ["https://catalog.shop.example", false, "example.shop.catalog"],
    ["https://catalog.shop.example:8443", true, "example.shop.catalog"],
    ["http://127.0.0.1:8787", false, "1.0.0.127"],
  ])("of %s is valid by the published schema", async (origin, isPublic, reversed) => {
    const card: unknown = await (await cardAt(origin, isPublic)).json();
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    const { $defs } = await schema("server-card-v1-2026-07-24.json");
    const validate = ajv.compile({ $defs, $ref: "#/$defs/ServerCard" });
    expect([validate(card), validate.errors]).toEqual([true, null]);
    expect(validate({ ...z.looseObject({}).parse(card), name: "no slash" })).toBe(false);
    expect(card).toMatchObject({
      name: `${reversed}/${manifest.name}`,
      remotes: [{ url: `${origin}/mcp` }, ...(isPublic ? [{ url: `${origin}/mcp/public` }] : [])],
    });
  });
});

describe("the Deploy to Cloudflare button", () => {
  it("leads to this repository", async () => {
    const link = `https://deploy.workers.cloudflare.com/?url=${repository}`;
    expect(await readFile("README.md", "utf8")).toContain(
      `[![Deploy to Cloudflare](https://deploy.workers.cloudflare.com/button)](${link})`,
    );
    expect(manifest.scripts.deploy).toBe("node bin/product-catalog-mcp.mjs deploy");
  });

  it("finds a binding or a setting behind every description, and a description of every binding", async () => {
    const toml = await readFile("wrangler.toml", "utf8");
    const bindings = [...toml.matchAll(/^(?:binding|name) = "([A-Z_]+)"$/gm)].map(([, name = ""]) => name);
    const described = Object.keys(manifest.cloudflare.bindings);
    // People choose no name for the files of public/.
    expect(bindings.filter((name) => name !== "ASSETS" && !described.includes(name))).toEqual([]);
    const settings = await settingNames();
    expect(described.filter((name) => ![...bindings, ...settings].includes(name))).toEqual([]);
  });

  // Cloudflare asks for each line of .dev.vars.example that is no comment, and deploys the answer as a secret.
  it("asks for no setting, and describes those that .dev.vars.example shows", async () => {
    const lines = (await readFile(".dev.vars.example", "utf8")).trim().split("\n");
    expect(lines.filter((line) => !line.startsWith("#"))).toEqual([]);
    const shown = lines.flatMap((line) => /^# ([A-Z_]+)=/.exec(line)?.[1] ?? []);
    expect(shown.length).toBeGreaterThan(4);
    // Has no effect on a deployed server.
    const local = new Set(["LOCAL_ANONYMOUS"]);
    const described = Object.keys(manifest.cloudflare.bindings);
    expect(shown.filter((name) => !local.has(name) && !described.includes(name))).toEqual([]);
  });

  it("needs no id and no variable in wrangler.toml", async () => {
    const toml = await readFile("wrangler.toml", "utf8");
    expect(toml).not.toMatch(/^\s*(?:database_id|id|account_id) = /m);
    const { options } = await readWranglerConfig("wrangler.toml");
    expect(readSettings(options.bindings ?? {})).toMatchObject({ ok: true });
    expect(await readdir(".")).toContain("package-lock.json");
  });
});

/** Returns the names of src/env.ts. */
async function settingNames(): Promise<string[]> {
  const source = await readFile("src/env.ts", "utf8");
  return [...source.matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(([, name = ""]) => name);
}
