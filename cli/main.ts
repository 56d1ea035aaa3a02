// The bin: loads the program of the command that the first words name, and no other.

import manifest from "../package.json" with { type: "json" };
import { COMMANDS } from "./commands.ts";
import { sayFailure } from "./failure.ts";
import { PROGRAM } from "./program.ts";

const EXAMPLES = `Examples:
  npx ${PROGRAM} import products.csv --dry-run
  npx ${PROGRAM} keys create --user price-bot --label "nightly run"
  npx ${PROGRAM} audit list --json
  npx ${PROGRAM} policy replay chain.jsonl --against stricter.json

Each command has --help, and --json if it answers data. docs/commands.md has the former names.`;

// Any error prints its message without a stack, also that of a file which can't be loaded, such as policy.json.
process.once("uncaughtException", (error) => {
  sayFailure(error);
  process.exit(1);
});

const words = process.argv.slice(2);
// Desktop configurations from before there were commands start the bin without one, or with --state alone.
const isBare = words[0] === undefined ? !process.stdin.isTTY : /^--state\b/.test(words[0]);
const command = isBare ? COMMANDS.find(({ name }) => name === "stdio") : longestMatch(words);

if (command !== undefined) {
  process.argv.splice(2, isBare ? 0 : command.name.split(" ").length);
  await import(`../${command.file}`);
} else {
  const [first = "--help"] = words;
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `));
  if (["--help", "-h", "help"].includes(first)) console.log(helpOf(withoutLab()));
  else if (["--version", "-V", "version"].includes(first)) console.log(manifest.version);
  else if (group.length > 0 && ["--help", "-h", undefined].includes(words[1])) console.log(helpOf(group));
  else {
    console.error(`There is no command "${words.slice(0, group.length > 0 ? 2 : 1).join(" ")}". See --help.`);
    process.exitCode = 1;
  }
}

/** Commands that only measure the server stand in the help of `lab`. */
function withoutLab(): typeof COMMANDS {
  const lab = { name: "lab", file: "", summary: "try the server out, and measure it: see lab --help" };
  return [...COMMANDS.filter(({ name }) => !name.startsWith("lab ")), lab];
}

/** `lab bench search` before `lab bench`. */
function longestMatch(given: readonly string[]) {
  return COMMANDS.filter(({ name }) => name.split(" ").every((word, index) => word === given[index]))
    .toSorted((a, b) => b.name.length - a.name.length)
    .at(0);
}

function helpOf(commands: typeof COMMANDS): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: npx ${PROGRAM} <command> [options]\n\n${lines.join("\n")}\n\n${EXAMPLES}`;
}
