import { cp, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { hasWayOut } from "../../cli/local/way-out.ts";
import { readLock } from "../../cli/local/lock-file.ts";
import { freePort } from "../node/support/free-port.ts";
import { type Running, endGroups, start } from "../node/support/processes.ts";

// A copy of the project, whose policy.json these tests break.
const COPIED = ["bin", "cli", "migrations", "package.json", "policy.json", "public", "src", "wrangler.toml"];
let folder: string;
let project: string;
let policy: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-dev-test-"));
  project = join(folder, "project");
  await mkdir(project);
  for (const name of COPIED) await cp(name, join(project, name), { recursive: true });
  await symlink(resolve("node_modules"), join(project, "node_modules"));
  policy = await readFile("policy.json", "utf8");
});
afterAll(async () => {
  await endGroups();
  await rm(folder, { recursive: true });
});

const savePolicy = (text: string) => writeFile(join(project, "policy.json"), text);

interface Dev {
  url: string;
  state: string;
  running: Running;
}

async function startDev(state: string): Promise<Dev> {
  const port = await freePort();
  const args = [join(project, "cli/dev.ts"), "--port", String(port), "--state", join(folder, state)];
  const running = start(process.execPath, args, { ownGroup: true });
  return { running, state: join(folder, state), url: `http://127.0.0.1:${port}` };
}

async function stop({ running }: Dev): Promise<void> {
  running.kill("SIGINT");
  await running.exited;
}

/** Returns the status and the text of an answer; undefined while nothing listens. */
async function get(url: string): Promise<{ status: number; text: string } | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}

async function search(url: string): Promise<string> {
  const response = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "search_products", arguments: { query: "wireless keyboard" } },
    }),
  });
  return response.text();
}

const statusOf = (url: string) => get(`${url}/readyz`).then((answer) => answer?.status);

describe("npm run dev", { timeout: 300_000 }, () => {
  describe("on a new folder", () => {
    let dev: Dev;
    let first: Awaited<ReturnType<typeof get>>;
    let found: string;
    beforeAll(async () => {
      dev = await startDev("new");
      const ready = `${dev.url}/readyz`;
      for (first = await get(ready); first === undefined; first = await get(ready)) await sleep(5);
      found = await search(dev.url);
      await dev.running.prints("Ctrl-C");
    });
    afterAll(() => stop(dev));

    it("answers only once its sample catalog is imported", () => {
      expect(first?.status).toBe(200);
      expect(found).toContain("SKU-10001");
    });

    it("advertises descriptions of clients only if this machine can fetch them", async () => {
      const metadata = await get(`${dev.url}/.well-known/oauth-authorization-server`);
      const supported = /"client_id_metadata_document_supported":(\w+)/.exec(metadata?.text ?? "")?.[1];
      expect(supported).toBe(String(await hasWayOut()));
    });

    it("stores nothing for a request that leaves no record", async () => {
      const ask = async (times: number) => {
        for (let done = 0; done < times; done++) expect((await get(`${dev.url}/healthz`))?.status).toBe(200);
        await sleep(2_000);
        return sizeOf(dev.state);
      };
      const before = await ask(10);
      expect((await ask(300)) - before).toBeLessThan(300 * 100);
    });
  });

  it("answers 503 with the reason while policy.json is not JSON, and serves again once that is fixed", async () => {
    await savePolicy(policy);
    const dev = await startDev("broken-later");
    await dev.running.prints("Ctrl-C");
    for (const broken of ['{ "version": 1,, }', ""]) {
      await savePolicy(broken);
      await expect.poll(() => statusOf(dev.url), { timeout: 60_000 }).toBe(503);
      expect((await get(dev.url))?.text).toMatch(/policy\.json:\d+:\d+: \S+/);
      // Another command must not take the state folder from it.
      expect((await readLock(dev.state))?.url).toBe(dev.url);
      await savePolicy(policy);
      await expect.poll(() => statusOf(dev.url), { timeout: 60_000 }).toBe(200);
      expect(await search(dev.url)).toContain("SKU-10001");
    }
    await stop(dev);
  });

  it("starts with a broken policy.json, says why, and fills its sample in once that is fixed", async () => {
    await savePolicy("{");
    const dev = await startDev("broken-first");
    await expect.poll(() => statusOf(dev.url), { timeout: 60_000 }).toBe(503);
    expect((await get(`${dev.url}/mcp`))?.text).toMatch(/policy\.json:\d+:\d+: \S+/);
    await savePolicy(policy);
    await dev.running.prints("Ctrl-C");
    expect(await search(dev.url)).toContain("SKU-10001");
    await stop(dev);
  });

  it("serves again at the same port after its runtime was killed, as soon as it runs and after a reload", async () => {
    await savePolicy(policy);
    const dev = await startDev("killed-runtime");
    await dev.running.prints("Ctrl-C");
    await killRuntime(dev);
    await expect.poll(() => statusOf(dev.url), { timeout: 60_000 }).toBe(200);
    await savePolicy("{");
    await expect.poll(() => statusOf(dev.url), { timeout: 60_000 }).toBe(503);
    await savePolicy(policy);
    await expect.poll(() => statusOf(dev.url), { timeout: 60_000 }).toBe(200);
    await killRuntime(dev);
    await expect.poll(() => statusOf(dev.url), { timeout: 60_000 }).toBe(200);
    expect(await search(dev.url)).toContain("SKU-10001");
    await stop(dev);
    const { stderr } = await dev.running.ended;
    expect(stderr.split("The Workers runtime ended unexpectedly")).toHaveLength(3);
  });
});

/** Kills the processes that the lock names at once. `readLock` would ask the server first. */
async function killRuntime({ state }: Dev): Promise<void> {
  const lock = z
    .object({ runtimes: z.array(z.int()).min(1) })
    .parse(JSON.parse(await readFile(join(state, "product-catalog.lock"), "utf8")));
  for (const pid of lock.runtimes) process.kill(pid, "SIGKILL");
}

/** Returns the bytes of all files in a folder. */
async function sizeOf(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(({ parentPath, name }) => stat(join(parentPath, name))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}
