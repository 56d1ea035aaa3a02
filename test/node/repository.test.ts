import { readFile, readdir } from "node:fs/promises";
import { expect, it } from "vitest";

it("lists every migration file, in order", async () => {
  const files = (await readdir("migrations")).filter((name) => name.endsWith(".sql")).toSorted();
  const source = await readFile("src/database/migrations.ts", "utf8");
  expect([...source.matchAll(/name: "(.+?)"/g)].map(([, name]) => name)).toEqual(files);
  for (const name of files) expect(source).toContain(`from "../../migrations/${name}"`);
});
