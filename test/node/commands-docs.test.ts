import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { COMMANDS, type CommandEntry } from "../../cli/commands.ts";
import { helpOf } from "./support/help.ts";

const page = await readFile("docs/commands.md", "utf8");

/** Returns a command's subcommands as its --help lists them; the command itself if it has none. */
async function leavesOf({ name, file }: CommandEntry): Promise<string[]> {
  // Only those with subcommands are started, because a start takes half a second.
  if (!/\.(?:command|listing)\(/.test(await readFile(file, "utf8"))) return [name];
  const [, listed = ""] = (await helpOf(name)).split("\nCommands:\n");
  const names = [...listed.matchAll(/^ {2}([a-z-]+)/gm)].map(([, sub]) => sub);
  return names.filter((sub) => sub !== "help").map((sub) => `${name} ${sub}`);
}

it("docs/commands.md has one row for each command, in the order of --help, with a former name", async () => {
  const rows = [...page.matchAll(/^\| `([^`]+)` \| [^|]+ \| ([^|]+) \|$/gm)];
  const leaves = await Promise.all(COMMANDS.map((command) => leavesOf(command)));
  expect(leaves.some((found) => found.length > 1)).toBe(true);
  expect(rows.map(([, name]) => name)).toEqual(leaves.flat());
  expect(rows.every(([, , former = ""]) => /^[a-z:]+(?: -- [a-z -]+)?$/.test(former))).toBe(true);
}, 120_000);

it("docs/commands.md names every npm script", async () => {
  const { scripts } = JSON.parse(await readFile("package.json", "utf8"));
  const names = Object.keys(scripts).map((script) => (script === "test" ? "npm test" : `npm run ${script}`));
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
