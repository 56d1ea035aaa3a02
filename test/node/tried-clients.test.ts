import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import * as z from "zod";

const packageSchema = z.object({ dependencies: z.record(z.string(), z.string()) });

it("docs/connect.md shows an outcome of every pinned client, in its pinned version", async () => {
  const page = await readFile("docs/connect.md", "utf8");
  const { dependencies } = packageSchema.parse(
    JSON.parse(await readFile("lab/clients/package.json", "utf8")),
  );
  // genkit is what its MCP plugin runs in.
  const pinned = Object.entries(dependencies).flatMap(([name, version]) =>
    name === "genkit" ? [] : [version.split("@").at(-1)],
  );
  const [, table = ""] = /<!-- clients: begin -->\n([^]*)<!-- clients: end -->/.exec(page) ?? [];
  const rows = [...table.matchAll(/^\| [\w.-]+ (\d+\.\d+\.\d+)((?: \| [^|\n]+){8}) \|$/gm)];
  expect(new Set(rows.map(([, version]) => version))).toEqual(new Set(pinned));
  expect(rows).toHaveLength(pinned.length);
  const works = /^ \| (?:\d+ tools \| yes \| yes|connected \| needs a model \| needs a model) \| /;
  for (const [, , cells = ""] of rows) expect(cells).toMatch(works);
});

// `lab clients` runs the page's lines, so the others must not differ from them.
it("README.md and docs/connect.md show the install page's lines", async () => {
  const read = (path: string) => readFile(path, "utf8");
  const [page, readme, connect] = await Promise.all([
    read("public/install.html"),
    read("README.md"),
    read("docs/connect.md"),
  ]);
  const lines = [...page.matchAll(/<code\s*>((?:claude|codex|gemini|code|\{"mcp)[^<]+\{\{mcp\}\}[^<]*)</g)];
  expect(lines).toHaveLength(5);
  for (const [, line = ""] of lines) {
    expect(readme).toContain(`\`${line.replace("{{mcp}}", "http://127.0.0.1:8787/mcp")}\``);
    expect(connect).toContain(`\`${line.replace("{{mcp}}", "URL")}\``);
  }
  for (const agent of ["claude-code", "codex", "gemini-cli"]) {
    const [, , withKey = ""] =
      /withKey: (["'])(.+)\1,/.exec(await read(`lab/clients/drivers/${agent}.mjs`)) ?? [];
    const [, line = ""] = lines.find(([, each = ""]) => each.startsWith(agent.split("-")[0] ?? "")) ?? [];
    expect(connect).toContain(`\`${line.replace("{{mcp}}", "URL")} ${withKey}\``);
  }
});
