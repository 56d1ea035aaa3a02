import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { demoKeys } from "../../cli/local/demo-users.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { ROLES, SCOPES, type Scope, scopesOf } from "../../src/identity/scopes.ts";
import { product, seed } from "./support/imports.ts";

const run = promisify(execFile);
const DOCUMENTED = "http://127.0.0.1:8787";

let folder: string;
let state: string;
let server: LocalServer;
let page: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-connect-test-"));
  state = join(folder, "state");
  page = await readFile("docs/connect.md", "utf8");
  server = await startServer({ stateDir: state, vars: { LOCAL_ANONYMOUS: "off" } });
  await seed(server, [product({ sku: "SKU-12847", status: "discontinued", stock: [] })]);
  await demoKeys(server, state);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** The page's commands with the output that it promises, in its order. */
const examples = () =>
  [...page.matchAll(/```sh\n([^`]*)```\n\n```text\n([^`]*)```/g)].map(([, commands = "", output = ""]) => ({
    commands: commands.trim(),
    lines: output.trim().split("\n"),
  }));

it("its commands print what it says they print", async () => {
  const environment: Record<string, string> = {};
  for (const { commands, lines } of examples()) {
    const script = commands
      .replaceAll("npm run -s admin --", `"${process.execPath}" cli/admin.ts --state "${state}"`)
      .replaceAll(DOCUMENTED, server.url);
    const { stdout, stderr } = await run("sh", ["-ec", script], {
      env: { PATH: process.env["PATH"] ?? "", ...environment },
    });
    expect(stderr).toBe("");
    const printed = stdout.replaceAll(server.url, DOCUMENTED).replaceAll('\\"', '"');
    for (const line of lines) {
      const parts = line.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
      expect(printed).toMatch(new RegExp(parts.join("\\S+")));
    }
    // As the page tells its reader to.
    const [, keyId, key] = /^(key-\w+), shown once:\n(\S+)$/m.exec(stdout) ?? [];
    if (keyId !== undefined && key !== undefined) Object.assign(environment, { KEY: key, KEY_ID: keyId });
  }
  expect(Object.keys(environment)).toEqual(["KEY", "KEY_ID"]);
});

it("leaves out no curl and no admin command that stands in a block", () => {
  const blocks = [...page.matchAll(/```sh\n([^`]*)```/g)].map(([, commands = ""]) => commands.trim());
  expect(examples().map(({ commands }) => commands)).toEqual(blocks);
  expect(blocks).toHaveLength(6);
});

it("its codes are the code's, with the code's words", async () => {
  const source = await readFile("src/identity/credentials.ts", "utf8");
  const [, table = ""] = /const PROBLEMS[^{]*\{([^}]*)\}/.exec(source) ?? [];
  const problems = [...table.matchAll(/(\w+): "([^"]*)"/g)].map(([, code, meaning]) => [code, meaning]);
  expect(problems).toHaveLength(7);
  const section = page.slice(page.indexOf("## What can go wrong"));
  const rows = [...section.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)].map(([, code, meaning]) => [
    code,
    meaning,
  ]);
  expect(rows).toEqual([...problems, ["insufficient_scope", expect.stringContaining("lacks a scope")]]);
});

it("its scopes are the code's, with the roles that have them", () => {
  const rolesWith = (scope: string) =>
    ROLES.filter((role) => scopesOf([role]).some((each: Scope) => each === scope)).join(", ");
  const expected = Object.entries(SCOPES).map(([scope, allows]) => [scope, allows, rolesWith(scope)]);
  const rows = [...page.matchAll(/^\| `([a-z:]+)` \| ([^|]*) \| ([^|]*) \|$/gm)].map(([, ...cells]) => cells);
  expect(rows).toEqual(expected);
});
