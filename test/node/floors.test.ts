import { readFile, readdir } from "node:fs/promises";
import { dirname, join } from "node:path/posix";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";

const page = await readFile("docs/architecture.md", "utf8");

/**
 * Rooms of src/ as docs/architecture.md lists them, from the ground up. Each imports only from floors below
 * its own.
 */
const FLOORS = (/```floors\n([^`]+)```/.exec(page)?.[1] ?? "")
  .trim()
  .split("\n")
  .map((line) => line.split(" "))
  .toReversed();
const floorOf = new Map(FLOORS.flatMap((names, floor) => names.map((name) => [name, floor] as const)));

/**
 * Examples: `catalog` for src/catalog/search/words.ts, `web/layout` for src/web/layout/page.tsx, `refusal`
 * for src/refusal.ts.
 */
function roomOf(path: string): string {
  const [, first = "", second = ""] = path.split("/");
  const nested = `${first}/${second}`;
  return floorOf.has(nested) ? nested : first.replace(/\.tsx?$/, "");
}

const files = (await readdir("src", { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map((entry) => join(entry.parentPath.replaceAll("\\", "/"), entry.name));
const sources = new Map(
  await Promise.all(files.map(async (file) => [file, await readFile(file, "utf8")] as const)),
);
const imports = [...sources].flatMap(([file, source]) =>
  [...source.matchAll(/\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)].map(([, path = ""]) => ({
    file,
    to: join(dirname(file), path),
  })),
);
/** A Durable Object has tables of its own, one of which is also called `incidents`. */
const isOfObject = (file: string) => file.startsWith("src/caller/store/");
const say = ({ file, to }: { file: string; to: string }) => `${file} -> ${to}`;
const inside = imports.filter(({ to }) => to.startsWith("src/"));

it("every room of src/ is on one floor of docs/architecture.md, and every room there exists", () => {
  const rooms = new Set(files.map(roomOf));
  expect([...rooms].filter((room) => !floorOf.has(room))).toEqual([]);
  expect([...floorOf.keys()].filter((room) => !rooms.has(room))).toEqual([]);
  expect(FLOORS.flat()).toHaveLength(floorOf.size);
});

it("imports run downward only", () => {
  const level = (path: string) => floorOf.get(roomOf(path)) ?? -1;
  const upward = inside.filter(({ file, to }) => roomOf(file) !== roomOf(to) && level(to) >= level(file));
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
])("%s never imports %j", (room, forbidden) => {
  const found = inside.filter(({ file, to }) => roomOf(file) === room && forbidden.includes(roomOf(to)));
  expect(found.map(say)).toEqual([]);
});

it("identity renders no page", () => {
  expect(files.filter((file) => file.startsWith("src/identity/") && file.endsWith(".tsx"))).toEqual([]);
});

it("src/ imports nothing of cli/, lab/ or test/, and outside itself only package.json and policy.json", () => {
  const outside = imports.filter(({ to }) => !to.startsWith("src/"));
  expect(outside.filter(({ to }) => !/^package\.json$|^policy\.json$/.test(to)).map(say)).toEqual([]);
});

/** Returns the tables of D1 after all migrations, without the internal ones of FTS5. */
async function tablesOfD1(): Promise<string[]> {
  const database = new DatabaseSync(":memory:");
  const migrations = (await readdir("migrations")).filter((name) => name.endsWith(".sql")).toSorted();
  for (const name of migrations) database.exec(await readFile(`migrations/${name}`, "utf8"));
  const tables = database.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all();
  const names = tables.map(({ name, sql }) => ({
    name: String(name),
    isVirtual: /^CREATE VIRTUAL/i.test(String(sql)),
  }));
  const virtual = names.filter(({ isVirtual }) => isVirtual).map(({ name }) => `${name}_`);
  return names
    .filter(({ name, isVirtual }) => !isVirtual && !virtual.some((start) => name.startsWith(start)))
    .map(({ name }) => name)
    .toSorted();
}

it("only the owner of a D1 table writes it, and only the rooms that docs/architecture.md names read it", async () => {
  const rows = page.slice(page.indexOf("## Tables")).matchAll(/^\| `(\w+)` +\| (\w+) +\| (.*?) *\|$/gm);
  const declared = new Map(
    [...rows].map(([, table = "", owner = "", readers = ""]) => [table, { owner, readers }]),
  );
  expect([...declared.keys()]).toEqual(await tablesOfD1());

  const roomsWith = (verbs: string, table: string) => {
    const use = new RegExp(`\\b(?:${verbs})\\s+${table}\\b`);
    const rooms = [...sources]
      .filter(([file, source]) => !isOfObject(file) && use.test(source))
      .map(([file]) => roomOf(file));
    return [...new Set(rooms)].toSorted();
  };
  for (const [table, { owner, readers }] of declared) {
    const others = (rooms: string[]) => rooms.filter((room) => room !== owner);
    expect(others(roomsWith("INTO|UPDATE|DELETE FROM", table)), `rooms that write ${table}`).toEqual([]);
    expect(others(roomsWith("FROM|JOIN", table)).join(", "), `rooms that read ${table}`).toBe(readers);
  }
});
