import { readFile, readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import * as z from "zod";
import { tools } from "../../src/tools/registry.ts";

// public/assets contains copies of the versions that package.json names, so that the Worker can serve them as
// they are.
it.each([
  ["htmx.org", "dist/htmx.min.js", "htmx-VERSION.min.js"],
  ["uplot", "dist/uPlot.iife.min.js", "uplot-VERSION.min.js"],
  ["uplot", "dist/uPlot.min.css", "uplot-VERSION.min.css"],
])("%s %s is an exact copy", async (name, path, copy) => {
  const manifest: unknown = JSON.parse(await readFile("package.json", "utf8"));
  const { dependencies } = z.object({ dependencies: z.record(z.string(), z.string()) }).parse(manifest);
  const file = copy.replace("VERSION", dependencies[name] ?? "missing");
  const [original, copied] = await Promise.all([
    readFile(`node_modules/${name}/${path}`, "utf8"),
    readFile(`public/assets/${file}`, "utf8"),
  ]);
  expect(copied).toBe(original);
});

it("every file of public/assets is one that a page or a program names", async () => {
  const pages = [
    "src/web/admin/admin-page.tsx",
    "src/web/layout/page.tsx",
    "public/install.html",
    "src/mcp/icons.ts",
    "cli/bundle.ts",
  ];
  const layout = (await Promise.all(pages.map((page) => readFile(page, "utf8")))).join();
  const files = await readdir("public/assets");
  const named = new Set([...layout.matchAll(/\/assets\/([\w.-]+\.\w+)/g)].map(([, file]) => file));
  for (const { scope } of tools) named.add(`tool-${scope.split(":")[0]}.svg`);
  expect([...named].toSorted()).toEqual(files.toSorted());
});
