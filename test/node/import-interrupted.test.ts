import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { BIN } from "./support/processes.ts";

it.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("an import that %s ends amid standard input leaves no copy of it", async (signal, code) => {
  const folder = await mkdtemp(join(tmpdir(), "catalog-interrupted-test-"));
  const child = spawn(process.execPath, [BIN, "import", "--state", join(folder, "state"), "-"], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["pipe", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
  const exited = once(child, "close");
  const copies = async () => (await readdir(folder)).filter((name) => name.startsWith("catalog-import-"));
  child.stdin.write("sku,name,category,price,currency\n");
  await vi.waitFor(async () => expect(await copies()).toHaveLength(1), { timeout: 30_000, interval: 50 });
  child.kill(signal);
  expect(await exited).toEqual([code, null]);
  expect(said).toContain("Interrupted; the catalog is unchanged.");
  expect(await copies()).toEqual([]);
  await rm(folder, { recursive: true });
});
