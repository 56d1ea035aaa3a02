import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { refusals } from "../../src/refusal.ts";

it.each(["docs/errors.md", "README.md"])("%s shows the table of refusals", async (file) => {
  const page = await readFile(file, "utf8");
  const rows = page.match(/^\| `\w+` \| \d{3} \|.+$/gm);
  const expected = Object.entries(refusals).map(
    ([code, { http, jsonRpc, retryable, next }]) =>
      `| \`${code}\` | ${http} | ${jsonRpc} | ${retryable ? "yes" : "no"} | ${next} |`,
  );
  expect(rows).toEqual(expected);
});

it("docs/signing.md says of every refusal of a signature when it comes", async () => {
  const page = await readFile("docs/signing.md", "utf8");
  const section = page.slice(page.indexOf("## How it is checked"), page.indexOf("What to do about each"));
  const named = [...section.matchAll(/`(signature_\w+)`/g)].map(([, code]) => code);
  const codes = Object.keys(refusals).filter((code) => code.startsWith("signature_"));
  expect([...new Set(named)].toSorted()).toEqual(codes.toSorted());
});

it("README links to files that exist, and names scripts that exist", async () => {
  const readme = await readFile("README.md", "utf8");
  for (const [, path = ""] of readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) await readFile(path);
  const { scripts } = JSON.parse(await readFile("package.json", "utf8"));
  const named = [...readme.matchAll(/npm run (?:-s )?([a-z][a-z:-]*)/g)].map(([, name]) => name);
  expect(named.filter((name) => name !== undefined && !(name in scripts))).toEqual([]);
});
