import { readFile } from "node:fs/promises";

/** How a page names a test: `worker/cards` "names only the hosts of pictures that the policy names". */
export const NAMED = /`((?:worker|node|slow)\/[\w./-]+)` "([^"]+)"/g;

/** Returns the tests that a text names. */
export const testsNamedIn = (text: string): { file: string; name: string }[] =>
  [...text.matchAll(NAMED)].map(([, file = "", name = ""]) => ({ file, name }));

/** Returns the names of a file's tests, as the source writes them. */
export async function namesOfTests(file: string): Promise<(string | undefined)[]> {
  const source = await readFile(`test/${file}.test.ts`, "utf8");
  return [...source.matchAll(/\(\s*(["`])([^\n]*?)\1,/g)].map(([, , found]) => found);
}
