import { readFile, readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import migrations from "../../src/database/migrations.json" with { type: "json" };

it("deploys every migration whole, without its comments", async () => {
  const files = (await readdir("migrations")).filter((name) => name.endsWith(".sql")).toSorted();
  expect(migrations.map(({ name }) => name)).toEqual(files);
  for (const { name, statements } of migrations) {
    const file = (await readFile(`migrations/${name}`, "utf8")).split(/^--> statement$/m);
    expect(statements.map(wordsOf), name).toEqual(file.map(wordsOf));
    expect(statements.join("\n"), name).not.toMatch(/^\s*--/m);
  }
});

/** Returns the literals and words of a statement in order, without white space and comments. */
const wordsOf = (sql: string) =>
  [...sql.matchAll(/'(?:[^']|'')*'|--.*|\w+|\S/g)]
    .map(([word]) => word)
    .filter((word) => !word.startsWith("--"));
