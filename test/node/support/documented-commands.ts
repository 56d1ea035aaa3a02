import { readFile, readdir } from "node:fs/promises";

export interface Documented {
  page: string;
  /** The command as the page has it, without `-s`, comments and pipes. */
  command: string;
}

const COMMAND = /(?:^|[|&]\s*|^\w+=\S+ )(npm (?:run|test|install|ci)\b[^|&]*|npx [^|&]*|bash \.ci\/run)/g;

/** Returns the commands in a page's shell blocks and inline code. */
export function commandsIn(markdown: string): string[] {
  const code: string[] = [];
  let fence: string | undefined;
  for (const line of markdown.split("\n")) {
    const [, language] = /^\s*```(\w*)/.exec(line) ?? [];
    if (language !== undefined) fence = fence === undefined ? language : undefined;
    else if (fence === "sh" || fence === "bash") code.push(line);
    else if (fence === undefined)
      for (const [, inline = ""] of line.matchAll(/`([^`]+)`/g)) code.push(inline.replaceAll("\\|", "|"));
  }
  return code
    .map((line) => line.replace(/(?:^|\s+)#.*$/, "").trim())
    .flatMap((line) => [...line.matchAll(COMMAND)].map(([, command = ""]) => command))
    .map((command) => command.trim().replace(/^npm run -s /, "npm run "));
}

/** Returns the commands of README.md and docs/ without duplicates. */
export async function documentedCommands(): Promise<Documented[]> {
  const docs = (await readdir("docs")).filter((file) => file.endsWith(".md")).map((file) => `docs/${file}`);
  const found = new Map<string, string>();
  for (const page of ["README.md", ...docs])
    for (const command of commandsIn(await readFile(page, "utf8")))
      if (!found.has(command)) found.set(command, page);
  return [...found].map(([command, page]) => ({ page, command }));
}
