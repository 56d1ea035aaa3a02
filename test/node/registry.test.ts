import { readFile, readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { isPublicRead } from "../../src/detection/labels.ts";
import { policyInForce } from "../../src/policy/bundled.ts";
import { prompts } from "../../src/prompts/registry.ts";
import { resourceTemplates, resources } from "../../src/resources/registry.ts";
import { publishedSchema } from "../../src/tools/published-schema.ts";
import { everyVersion, tools } from "../../src/tools/registry.ts";

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

it("only reads of the catalog run before they are admitted", () => {
  const all = [...everyVersion(tools), ...resources, ...resourceTemplates, ...prompts];
  const ahead = all.filter(({ runsAhead }) => runsAhead === true);
  expect(ahead.length).toBeGreaterThan(0);
  expect(ahead.filter(({ labels }) => !isPublicRead(labels))).toEqual([]);
  const hints = tools
    .filter(({ runsAhead }) => runsAhead === true)
    .map(({ definition: { annotations } }) => [annotations.readOnlyHint, annotations.openWorldHint]);
  for (const hint of hints) expect(hint).toEqual([true, false]);
});

it("every tool has a test", async () => {
  const tests = (await read("test/worker", /\.test\.ts$/)).map(({ text }) => text).join("\n");
  const missing = tools.filter(({ name }) => !tests.includes(`"${name}"`));
  expect(missing.map(({ name }) => `name "${name}" in a test of test/worker, such as tools.test.ts`)).toEqual(
    [],
  );
});

it("published schemas have no keyword that a model provider refuses, and lose no property", () => {
  for (const { definition, contract, previous } of everyVersion(tools)) {
    for (const part of ["inputSchema", "outputSchema"] as const) {
      const shown = keywordsOf(definition[part]);
      expect(shown.filter(([keyword]) => keyword === "format" || keyword === "default")).toEqual([]);
      expect(shown.filter(([keyword, value]) => keyword === "type" && Array.isArray(value))).toEqual([]);
      const names = (of: [string, unknown][]) =>
        of.flatMap(([keyword, value]) => (keyword === "properties" ? Object.keys(Object(value)) : []));
      const added = part === "inputSchema" && previous.length > 0 ? ["version"] : [];
      expect(names(shown)).toEqual([...names(keywordsOf(contract[part])), ...added]);
    }
  }
});

it("a published default is in its description, and a list of types becomes alternatives", () => {
  const schema = {
    type: "object",
    properties: {
      format: { type: "integer", minimum: 1, default: 10, description: "How many" },
      default: { type: ["string", "null"], format: "date-time" },
      either: {
        anyOf: [
          { type: "string", format: "email" },
          { type: "array", items: { default: false } },
        ],
      },
    },
    required: ["format"],
  };
  expect(publishedSchema(schema)).toEqual({
    type: "object",
    properties: {
      format: { type: "integer", minimum: 1, description: "How many. Default: 10" },
      default: { anyOf: [{ type: "string" }, { type: "null" }] },
      either: { anyOf: [{ type: "string" }, { type: "array", items: { description: "Default: false" } }] },
    },
    required: ["format"],
  });
});

/** Returns every keyword of a JSON Schema with its value, and no names of properties. */
function keywordsOf(schema: unknown): [string, unknown][] {
  if (Array.isArray(schema)) return schema.flatMap(keywordsOf);
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, value]): [string, unknown][] => [
    [keyword, value],
    ...(keyword === "properties" ? Object.values(value).flatMap(keywordsOf) : keywordsOf(value)),
  ]);
}
