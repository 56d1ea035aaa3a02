import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../cli/wrangler.ts";

const PAGE = join(ROOT, "docs/reliability.md");
const begin = (name: string): string => `<!-- ${name}: written by the command -->\n`;
const END = "<!-- end -->\n";

/** Returns the part of docs/reliability.md that a command writes. */
export const sectionOf = async (name: string): Promise<string> =>
  split(await readFile(PAGE, "utf8"), name)[1];

export async function writeSection(name: string, text: string): Promise<void> {
  const [before, , after] = split(await readFile(PAGE, "utf8"), name);
  await writeFile(PAGE, `${before}${text}${after}`);
}

function split(page: string, name: string): [before: string, section: string, after: string] {
  const start = page.indexOf(begin(name)) + begin(name).length;
  const end = page.indexOf(END, start);
  if (start < begin(name).length || end < 0) throw new Error(`docs/reliability.md has no part for ${name}.`);
  return [page.slice(0, start), page.slice(start, end), page.slice(end)];
}

/** Writes a table in Markdown. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
