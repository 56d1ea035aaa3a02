import { readFile, readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import migrations from "../../src/database/migrations.json" with { type: "json" };

it("deploys every migration whole, without its comments", async () => {
  const names = (await readdir("migrations")).filter((name) => name.endsWith(".sql")).toSorted();
  const files = await Promise.all(
    names.map(async (name) => {
      const statements = (await readFile(`migrations/${name}`, "utf8")).split(/^--> statement$/m);
      return { name, statements: statements.map(wordsOf) };
    }),
  );
  expect(migrations.map(({ name, statements }) => ({ name, statements: statements.map(wordsOf) }))).toEqual(
    files,
  );
  expect(JSON.stringify(migrations)).not.toMatch(/(?:\\n|")\s*--/);
});

/** Returns the literals and words of a statement in order, without white space and comments. */
const wordsOf = (sql: string) =>
  [...sql.matchAll(/'(?:[^']|'')*'|--.*|\w+|\S/g)]
    .map(([word]) => word)
    .filter((word) => !word.startsWith("--"));
