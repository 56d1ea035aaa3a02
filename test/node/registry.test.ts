import { readFile, readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { policyInForce } from "../../src/policy/bundled.ts";
import { tools } from "../../src/tools/registry.ts";

// Lists what a new tool still lacks. labels.test.ts checks its labels, surface/lock.test.ts what clients see
// of it, and test/worker/compatibility.test.ts its examples.

const read = async (folder: string, name: RegExp) => {
  const files = (await readdir(folder)).filter((file) => name.test(file));
  return Promise.all(
    files.map(async (file) => ({ file, text: await readFile(`${folder}/${file}`, "utf8") })),
  );
};

it("every tool that has a file is in the registry", async () => {
  const registered = new Set(tools.map(({ name }) => name));
  const defined = (await read("src/tools", /\.ts$/)).flatMap(({ file, text }) =>
    [...text.matchAll(/= defineTool\(\{\s*name: "(\w+)"/g)].map(([, name = ""]) => ({ file, name })),
  );
  expect(defined.length).toBeGreaterThan(0);
  const missing = defined.filter(({ name }) => !registered.has(name));
  expect(
    missing.map(({ file, name }) => `add ${name} of src/tools/${file} to src/tools/registry.ts`),
  ).toEqual([]);
});

it("tool names are unique", () => {
  const names = tools.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

it("some role may use each tool", () => {
  const allowed = new Set(Object.values(policyInForce().roles).flatMap((role) => role.tools));
  const missing = tools.filter(({ name }) => !allowed.has(name));
  expect(missing.map(({ name }) => `add ${name} to the roles in policy.json that may use it`)).toEqual([]);
});

it("every role that may use a tool has its scope", () => {
  const missing = Object.entries(policyInForce().roles).flatMap(([role, { tools: names, scopes }]) =>
    tools
      .filter(({ name, scope }) => names.includes(name) && !scopes.includes(scope))
      .map(({ name, scope }) => `role ${role} of policy.json may use ${name} but lacks its scope, ${scope}`),
  );
  expect(missing).toEqual([]);
});

it("every tool has a test", async () => {
  const tests = (await read("test/worker", /\.test\.ts$/)).map(({ text }) => text).join("\n");
  const missing = tools.filter(({ name }) => !tests.includes(`"${name}"`));
  expect(missing.map(({ name }) => `name "${name}" in a test of test/worker, such as tools.test.ts`)).toEqual(
    [],
  );
});
