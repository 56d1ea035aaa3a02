// lab words: checks that comments are plain: no sentence that hides its subject, and no name that is private to this project.

import { readFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { parseSync } from "oxc-parser";
import { commandOf } from "../cli/command.ts";

/** A sentence that begins so hides its subject: "What is written is kept" instead of "The object keeps each record". */
const HIDDEN_SUBJECT = /(?:^|[.!?:] )(What|Whoever|Who|Of|To be told|Whose)\s[^?]*?(?:[.!]|$)/;

/** Former names, and the word that stands for each now. */
const FORMER_NAMES = new Map([
  ["CallerObject", "CallerClient"],
  ["flow-stage", "decisions"],
  ["flow-recall", "rehydrate"],
  ["keepUp", "checkpoint"],
  ["upkeep", "maintenance"],
  ["incident-courier", "incident-outbox"],
]);

commandOf("lab words").description("Check that comments are in plain words.").parse();

const tracked = execFileSync(
  "git",
  ["ls-files", "src", "cli", "lab", "test", "migrations", "docs", "README.md"],
  {
    encoding: "utf8",
  },
)
  .split("\n")
  .filter((file) => /\.(?:tsx?|mjs|sql|md)$/.test(file) && !file.startsWith("test/worker/stored/release"));

const problems: string[] = [];
for (const file of tracked) {
  const text = await readFile(file, "utf8");
  if (file !== "lab/words.ts")
    for (const [index, line] of text.split("\n").entries())
      for (const [former, now] of FORMER_NAMES)
        if (new RegExp(`\\b${former}\\b`, "i").test(line))
          problems.push(`${file}:${index + 1}: "${former}" is now called "${now}"`);
  for (const { line, comment } of commentsOf(file, text)) {
    const found = HIDDEN_SUBJECT.exec(comment);
    if (found !== null)
      problems.push(`${file}:${line}: a sentence begins with "${found[1]}"; begin with its subject instead`);
  }
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} places are not in plain words (docs/glossary.md has the terms).`);
  process.exitCode = 1;
}

/** Comments with the number of their first line. Lines that follow one another are one comment. */
function commentsOf(file: string, text: string): { line: number; comment: string }[] {
  const lineAt = (offset: number) => text.slice(0, offset).split("\n").length;
  const found = file.endsWith(".sql")
    ? [...text.matchAll(/^\s*--(?!>)(.*)$/gm)].map(({ index, 1: value = "" }) => ({ start: index, value }))
    : file.endsWith(".md")
      ? []
      : parseSync(file, text).comments;
  const comments: { line: number; last: number; comment: string }[] = [];
  for (const { start, value } of found) {
    const line = lineAt(start);
    const words = value.replaceAll(/^[\s*]+/gm, " ").trim();
    const before = comments.at(-1);
    if (before !== undefined && before.last === line - 1) {
      before.comment += ` ${words}`;
      before.last = line;
    } else
      comments.push({
        line,
        last: line + value.split("\n").length - 1,
        comment: words.replaceAll(/\s+/g, " "),
      });
  }
  return comments;
}
