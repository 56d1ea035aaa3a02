// lab cards: builds public/cards.html, the page of product and stock cards, from cards/.

import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { commandOf } from "../cli/command.ts";

const FILE = "public/cards.html";
/** Bytes. A client loads the page for each answer that it shows. */
const MAX = 40 * 1024;

const program = commandOf("lab cards")
  .description(`Check that ${FILE} is what cards/ says, and small enough. Exits with 1 if it is not.`)
  .option("--write", `write ${FILE}`)
  .parse();

const [style, script] = await Promise.all([bundled("cards/style.css"), bundled("cards/page.ts")]);
const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Product cards</title><style>${style}</style></head><body><script type="module">${script}</script></body></html>
`;

if (/<\/?script|<!--/i.test(script)) throw new Error("The script holds a text that would end its element.");
if (Buffer.byteLength(page) > MAX)
  fail(`${FILE} would have ${Buffer.byteLength(page)} bytes, more than ${MAX}.`);
else if (program.opts<{ write?: boolean }>().write === true) {
  await writeFile(FILE, page);
  console.log(`${FILE}: ${Buffer.byteLength(page)} bytes.`);
} else if ((await readFile(FILE, "utf8").catch(() => "")) !== page)
  fail(`${FILE} is not what cards/ says: npx product-catalog-mcp lab cards --write`);

async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: ["es2022"],
    supported: { "top-level-await": true },
    legalComments: "none",
    logLevel: "error",
  });
  return (outputFiles[0]?.text ?? "").trim();
}

function fail(problem: string): void {
  console.error(problem);
  process.exitCode = 1;
}
