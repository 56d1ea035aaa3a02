import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";

const NAMED = /`((?:worker|node|slow)\/[\w/-]+)` "([^"]+)"/g;

const page = await readFile("docs/threat-model.md", "utf8");
const named = [...page.matchAll(NAMED)].map(([, file = "", name = ""]) => ({ file, name }));

it.each(named)("the test that docs/threat-model.md names exists: $file, $name", async ({ file, name }) => {
  const source = await readFile(`test/${file}.test.ts`, "utf8");
  const names = [...source.matchAll(/\(\s*(["`])([^\n]*?)\1,/g)].map(([, , found]) => found);
  expect(names).toContain(name);
});

it("every row of docs/threat-model.md that needs a test names one", () => {
  const threats = page.slice(page.indexOf("## Threats"));
  const rows = threats
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (threat|requirement|section) /.test(line));
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.filter((row) => row.match(NAMED) === null)).toEqual([]);
});
