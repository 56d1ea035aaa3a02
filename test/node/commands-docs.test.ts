import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { COMMANDS } from "../../cli/commands.ts";
import { BIN, start } from "./support/processes.ts";

const page = await readFile("docs/commands.md", "utf8");

/** Returns a command's subcommands as its --help lists them; the command itself if it has none. */
async function leavesOf(name: string): Promise<string[]> {
  const { stdout } = await start(process.execPath, [BIN, ...name.split(" "), "--help"]).ended;
  const listed = stdout.slice(stdout.indexOf("\nCommands:\n")).matchAll(/^ {2}([a-z-]+)/gm);
  const names = stdout.includes("\nCommands:\n") ? [...listed].map(([, sub]) => sub) : [];
  return names.length === 0 ? [name] : names.filter((sub) => sub !== "help").map((sub) => `${name} ${sub}`);
}

it("docs/commands.md has one row for each command, in the order of --help, with a former name", async () => {
  const rows = [...page.matchAll(/^\| `([^`]+)` \| [^|]+ \| ([^|]+) \|$/gm)];
  const leaves = await Promise.all(COMMANDS.map(({ name }) => leavesOf(name)));
  expect(rows.map(([, name]) => name)).toEqual(leaves.flat());
  expect(rows.every(([, , former = ""]) => /^[a-z:]+(?: -- [a-z -]+)?$/.test(former))).toBe(true);
}, 120_000);

it("docs/commands.md names every npm script", async () => {
  const { scripts } = JSON.parse(await readFile("package.json", "utf8"));
  const names = Object.keys(scripts).map((script) => (script === "test" ? "npm test" : `npm run ${script}`));
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
