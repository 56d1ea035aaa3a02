import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { start, within } from "./support/processes.ts";

it("prints what was skipped and why, and the counts last", async () => {
  const folder = await mkdtemp(join(tmpdir(), "catalog-reporter-test-"));
  await symlink(resolve("node_modules"), join(folder, "node_modules"));
  // The last test of this file is skipped without a reason on purpose: the reporter must say so.
  await writeFile(
    join(folder, "some.test.ts"),
    `import { it } from "vitest";
    it("passes", () => {});
    it("fails", () => { throw new Error("as it must"); });
    for (const name of ["a", "b"]) it(name, ({ skip }) => skip("there is no browser"));
    it.skip("tells nobody why", () => {});`,
  );
  const reporter = resolve("test/count-reporter.ts");
  const run = start(process.execPath, [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--root",
    folder,
    "--reporter",
    reporter,
  ]);
  const { code, stdout } = await within(50_000, run);
  await rm(folder, { recursive: true });
  expect(code).toBe(1);
  expect(stdout.trim().split("\n").slice(-3)).toEqual([
    expect.stringMatching(/^Left out, because there is no browser: \S*some\.test\.ts \(2 tests\)$/),
    expect.stringMatching(/^Left out, without a reason: \S*some\.test\.ts \(1 test\)$/),
    "1 passed, 1 failed, 3 skipped",
  ]);
});
