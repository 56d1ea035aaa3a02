import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { NAMED, namesOfTests, testsNamedIn } from "./support/named-tests.ts";

const page = await readFile("docs/threat-model.md", "utf8");

it.each(testsNamedIn(page))(
  "the test that docs/threat-model.md names exists: $file, $name",
  async ({ file, name }) => {
    expect(await namesOfTests(file)).toContain(name);
  },
);

it("every row of docs/threat-model.md that needs a test names one", () => {
  const threats = page.slice(page.indexOf("## Threats"));
  const rows = threats
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (threat|requirement|section) /.test(line));
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.filter((row) => row.match(NAMED) === null)).toEqual([]);
});
