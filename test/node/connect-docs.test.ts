import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ROLES, SCOPES, type Scope, scopesOf } from "../../src/identity/scopes.ts";
import { DOCUMENTED, docRig, expectLines } from "./support/doc-examples.ts";
import { NAMED, namesOfTests, testsNamedIn } from "./support/named-tests.ts";
import { cliProgram, curl, runCommands } from "./support/shell.ts";

const rig = docRig("docs/connect.md");

/** The page's commands with the output that it promises, in order. */
const examples = () =>
  [...rig().page.matchAll(/```sh\n([^`]*)```\n\n```text\n([^`]*)```/g)].map(
    ([, commands = "", output = ""]) => ({
      commands: commands.trim(),
      lines: output.trim().split("\n"),
    }),
  );

it("its commands print the promised output", async () => {
  const { server, state } = rig();
  const environment: Record<string, string> = {};
  const programs = { curl, "npx product-catalog-mcp": cliProgram(["--state", state]) };
  for (const { commands, lines } of examples()) {
    const stdout = await runCommands(commands.replaceAll(DOCUMENTED, server.url), environment, programs);
    expectLines(stdout.replaceAll(server.url, DOCUMENTED), lines);
    // The page tells its reader to do this.
    const [, keyId, key] = /^(key-\w+), shown once:\n(\S+)$/m.exec(stdout) ?? [];
    if (keyId !== undefined && key !== undefined) Object.assign(environment, { KEY: key, KEY_ID: keyId });
  }
  expect(Object.keys(environment)).toEqual(["KEY", "KEY_ID"]);
});

it("runs every curl and admin command of a block", () => {
  const blocks = [...rig().page.matchAll(/```sh\n([^`]*)```/g)].map(([, commands = ""]) => commands.trim());
  expect(examples().map(({ commands }) => commands)).toEqual(blocks);
  expect(blocks).toHaveLength(6);
});

it("its codes and their texts match the code", async () => {
  const source = await readFile("src/identity/credentials.ts", "utf8");
  const [, table = ""] = /const PROBLEMS[^{]*\{([^}]*)\}/.exec(source) ?? [];
  const problems = [...table.matchAll(/(\w+): "([^"]*)"/g)].map(([, code, meaning]) => [code, meaning]);
  expect(problems).toHaveLength(7);
  const { page } = rig();
  const section = page.slice(page.indexOf("## What can go wrong"));
  const rows = [...section.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)].map(([, code, meaning]) => [
    code,
    meaning,
  ]);
  expect(rows).toEqual([...problems, ["insufficient_scope", expect.stringContaining("lacks a scope")]]);
});

it("its scopes and their roles match the code", () => {
  const rolesWith = (scope: string) =>
    ROLES.filter((role) => scopesOf([role]).some((each: Scope) => each === scope)).join(", ");
  const expected = Object.entries(SCOPES).map(([scope, allows]) => [scope, allows, rolesWith(scope)]);
  const rows = [...rig().page.matchAll(/^\| `([a-z:]+)` \| ([^|]*) \| ([^|]*) \|$/gm)].map(
    ([, ...cells]) => cells,
  );
  expect(rows).toEqual(expected);
});

describe("the directories' checklist", async () => {
  const page = await readFile("docs/connect.md", "utf8");
  const [, after = ""] = page.split("## What the directories ask for");
  const [section = ""] = after.split("\n## ");
  const rows = section
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| requirement"));

  it("names a test in each line, or says that it is by hand", () => {
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter((row) => row.match(NAMED) === null && !/\| by hand[^|]* \|$/.test(row))).toEqual([]);
  });

  it.each(testsNamedIn(section))("names a test that exists: $file, $name", async ({ file, name }) => {
    expect(await namesOfTests(file)).toContain(name);
  });
});
