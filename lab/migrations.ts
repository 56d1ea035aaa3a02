// lab migrations: keeps src/database/migrations.json, the SQL of migrations/ as the Worker runs it.

import { readFile, readdir, writeFile } from "node:fs/promises";
import { commandOf } from "../cli/command.ts";

const FILE = "src/database/migrations.json";

const program = commandOf("lab migrations")
  .description(`Check that ${FILE} holds the SQL of migrations/. Exits with 1 if it does not.`)
  .option("--write", `write ${FILE}`)
  .parse();

const names = (await readdir("migrations")).filter((name) => name.endsWith(".sql")).toSorted();
const migrations = await Promise.all(
  names.map(async (name) => ({
    name,
    statements: statementsOf(await readFile(`migrations/${name}`, "utf8")),
  })),
);
const text = `${JSON.stringify(migrations, null, 2)}\n`;

if (program.opts<{ write?: boolean }>().write === true) await writeFile(FILE, text);
else if ((await readFile(FILE, "utf8")) !== text) {
  console.error(`${FILE} is not what migrations/ says: npx product-catalog-mcp lab migrations --write`);
  process.exitCode = 1;
}

/** Splits a file into its statements, without comments and line breaks: they would be part of every deployment. */
function statementsOf(sql: string): string[] {
  return sql.split(/^--> statement$/m).map((statement) => {
    const lines = statement.replaceAll(/^\s*--.*\n/gm, "").trim();
    if (lines.split("\n").some((line) => line.split("'").length % 2 === 0))
      throw new Error(`A text in a migration holds a line break, which would be lost: ${lines}`);
    return lines.replaceAll(/\s*\n\s*/g, " ");
  });
}
