import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { endGroups, groupMembers, start, within } from "./support/processes.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-bundle-test-"));
});
afterAll(async () => {
  await endGroups();
  await rm(folder, { recursive: true });
});

it("leaves no bundler behind if the process ends while the bundler waits for its answer", async () => {
  const entry = join(folder, "entry.ts");
  await writeFile(entry, "export default {};");
  // The process is busy until it ends, so that it answers none of the questions that the bundler asks each second.
  const script = `
    import { watchBundle } from "./cli/local/bundle.ts";
    await watchBundle(${JSON.stringify(entry)}, { keepNames: true, alias: {} }, () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
      process.exit(0);
    });`;
  const watching = start(process.execPath, ["--input-type=module-typescript", "-e", script], {
    ownGroup: true,
  });
  expect(await within(20_000, watching)).toMatchObject({ code: 0, stderr: "" });
  for (let tries = 0; tries < 20 && (await groupMembers(watching.pid)).length > 0; tries++) await sleep(100);
  expect(await groupMembers(watching.pid)).toEqual([]);
});
