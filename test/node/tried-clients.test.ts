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
  for (const [, , cells = ""] of rows) expect(cells).toMatch(/^ \| \d+ tools \| yes \| yes \| /);
});
