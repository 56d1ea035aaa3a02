// lab words: checks that comments are plain: no sentence may hide its subject.

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { parseSync } from "oxc-parser";
import { commandOf } from "../cli/command.ts";

/** A sentence that begins so hides its subject: "What is written is kept" instead of "The object keeps each record". */
const HIDDEN_SUBJECT = /(?:^|[.!?:] )(What|Whoever|Who|Of|To be told|Whose)\s[^?]*?(?:[.!]|$)/;

commandOf("lab words").description("Check that comments are in plain words.").parse();

const files = execFileSync("git", ["ls-files", "src", "cli", "lab", "test", "migrations"], {
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => /\.(?:tsx?|mjs|sql)$/.test(file) && !file.startsWith("test/worker/stored/release"));

let problems = 0;
for (const file of files) {
  const text = await readFile(file, "utf8");
  for (const { line, comment } of commentsOf(file, text)) {
    const found = HIDDEN_SUBJECT.exec(comment);
    if (found === null) continue;
    console.error(`${file}:${line}: a sentence begins with "${found[1]}"; begin with its subject instead`);
    problems += 1;
  }
}
if (problems > 0) {
  console.error(`${problems} places are not in plain words (docs/glossary.md has the terms).`);
  process.exitCode = 1;
}

/** Comments with the number of their first line. Lines that follow one another are one comment. */
function commentsOf(file: string, text: string): { line: number; comment: string }[] {
  const found = file.endsWith(".sql")
    ? [...text.matchAll(/^\s*--(?!>)(.*)$/gm)].map(({ index, 1: value = "" }) => ({ start: index, value }))
    : parseSync(file, text).comments;
  const comments: { line: number; last: number; comment: string }[] = [];
  for (const { start, value } of found) {
    const line = text.slice(0, start).split("\n").length;
    const comment = value
      .replaceAll(/^[\s*]+/gm, " ")
      .replaceAll(/\s+/g, " ")
      .trim();
    const last = line + value.split("\n").length - 1;
    const before = comments.at(-1);
    if (before?.last === line - 1) Object.assign(before, { last, comment: `${before.comment} ${comment}` });
    else comments.push({ line, last, comment });
  }
  return comments;
}
