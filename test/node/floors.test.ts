import { readFile, readdir } from "node:fs/promises";
import { dirname, join } from "node:path/posix";
import { expect, it } from "vitest";

// The folders and files of src/, from the ground up. Each imports from floors below its own, or from itself.
const FLOORS = [
  ["refusal", "env", "deadlines", "missing", "text", "database", "flow"],
  ["policy", "telemetry"],
  ["arguments", "hosts", "app-types"],
  ["assets", "oauth-refusal"],
  ["catalog", "inventory", "windows"],
  // What is changed of a user goes into the audit in their object.
  ["identity"],
  ["support", "refusal-page"],
  ["call-context"],
  ["resources"],
  // A prompt answers with a resource's contents.
  ["prompts"],
  ["tools", "guard"],
  ["mcp", "admin", "probes"],
  // It says what rules saw as the dashboard does.
  ["confirm"],
  ["door", "receive-body"],
  ["welcome"],
  ["app"],
  ["index"],
  // The deployed bundle is index; what stands above it is on this machine alone.
  ["local"],
];
const floorOf = new Map(FLOORS.flatMap((names, floor) => names.map((name) => [name, floor] as const)));

/** `catalog` for src/catalog/search/words.ts, `refusal` for src/refusal.ts. */
const unitOf = (path: string) => path.split("/")[1]?.replace(/\.tsx?$/, "") ?? "";

const files = (await readdir("src", { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map((entry) => join(entry.parentPath.replaceAll("\\", "/"), entry.name));
const imports = (await Promise.all(files.map(importsOf))).flat();

async function importsOf(file: string): Promise<{ file: string; to: string }[]> {
  const source = await readFile(file, "utf8");
  const found = source.matchAll(/\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g);
  return [...found].map(([, path = ""]) => ({ file, to: join(dirname(file), path) }));
}
const say = ({ file, to }: { file: string; to: string }) => `${file} -> ${to}`;
const inside = imports.filter(({ to }) => to.startsWith("src/"));

it("every folder and file of src/ has a floor", () => {
  expect([...new Set(files.map(unitOf))].filter((unit) => !floorOf.has(unit))).toEqual([]);
});

it("imports run downward only", () => {
  const level = (path: string) => floorOf.get(unitOf(path)) ?? -1;
  const upward = inside.filter(({ file, to }) => unitOf(file) !== unitOf(to) && level(to) >= level(file));
  expect(inside.length).toBeGreaterThan(100);
  expect(upward.map(say)).toEqual([]);
});

it.each([
  ["tools", ["env", "database", "telemetry", "mcp", "resources", "prompts"]],
  ["resources", ["env", "database", "telemetry"]],
  ["prompts", ["env", "database", "telemetry"]],
  ["catalog", ["env"]],
  ["inventory", ["env"]],
  ["support", ["env"]],
])("%s never reaches for %j", (unit, forbidden) => {
  const found = inside.filter(({ file, to }) => unitOf(file) === unit && forbidden.includes(unitOf(to)));
  expect(found.map(say)).toEqual([]);
});

it("src/ imports nothing of cli/ or test/, and outside itself only migrations and package.json", () => {
  const outside = imports.filter(({ to }) => !to.startsWith("src/"));
  expect(
    outside.filter(({ to }) => !/^migrations\/\w+\.sql$|^package\.json$|^policy\.json$/.test(to)).map(say),
  ).toEqual([]);
});
