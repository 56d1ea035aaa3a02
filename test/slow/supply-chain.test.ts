import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import * as z from "zod";

const run = promisify(execFile);
/** Files of one run of secretlint, whose time grows with their square: it times each rule, and searches all earlier times. */
const AT_ONCE = 200;
const packageSchema = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()),
  allowScripts: z.record(z.string(), z.boolean()),
});
const project = packageSchema.parse(JSON.parse(await readFile("package.json", "utf8")));

it("package.json says of every package with an install script whether it may run", async () => {
  const { packages } = z
    .object({ packages: z.record(z.string(), z.looseObject({ hasInstallScript: z.boolean().optional() })) })
    .parse(JSON.parse(await readFile("package-lock.json", "utf8")));
  const scripted = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.replace(/^.*node_modules\//, ""));
  expect(scripted).toContain("esbuild");
  expect(scripted.filter((name) => !(name in project.allowScripts))).toEqual([]);
  expect(Object.values(project.allowScripts).filter(Boolean)).toEqual([]);
});

it("an SBOM names every dependency with its version", async () => {
  const { stdout } = await run("npm", ["sbom", "--package-lock-only", "--sbom-format", "cyclonedx"], {
    maxBuffer: 1e8,
  });
  const { components } = z
    .object({ components: z.array(z.object({ name: z.string(), version: z.string() })) })
    .parse(JSON.parse(stdout));
  const named = new Set(components.map(({ name, version }) => `${name}@${version}`));
  const missing = Object.entries(project.dependencies).filter(
    ([name, version]) => !named.has(`${name}@${version}`),
  );
  expect(missing).toEqual([]);
});

it(
  "secretlint finds no secret in the repository, and finds one that is planted",
  { timeout: 240_000 },
  async () => {
    const secretlint = (files: readonly string[]) =>
      run(process.execPath, ["node_modules/secretlint/bin/secretlint.js", "--no-glob", ...files], {
        maxBuffer: 1e8,
      }).then(
        () => "nothing",
        ({ stdout }: { stdout: string }) => stdout,
      );
    const { stdout } = await run("git", ["ls-files"]);
    const files = stdout
      .trim()
      .split("\n")
      .filter((file) => !/\.(png|gz)$|^package-lock\.json$/.test(file));
    const folder = await mkdtemp(join(tmpdir(), "catalog-secret-"));
    try {
      const planted = join(folder, "planted.txt");
      await writeFile(
        planted,
        `-----BEGIN PRIVATE KEY-----\n${"MIIEvQIBADANBgkq".repeat(40)}\n-----END PRIVATE KEY-----\n`,
      );
      expect(await secretlint([planted])).toMatch(/private ?key/i);
      for (let from = 0; from < files.length; from += AT_ONCE)
        expect(await secretlint(files.slice(from, from + AT_ONCE))).toBe("nothing");
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
