import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readLock } from "../../cli/local/lock-file.ts";
import { startServer } from "../../cli/local/server.ts";
import { endGroups, groupMembers, startCommand, within } from "../node/support/processes.ts";
import { HOST_PATH, callTool, documentedCommand, initialize } from "../node/support/stdio.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-stdio-slow-"));
});
afterAll(async () => {
  await endGroups();
  await rm(folder, { recursive: true });
});

async function connect(state: string) {
  const command = await documentedCommand(state);
  const transport = new StdioClientTransport({ ...command, env: { PATH: HOST_PATH }, stderr: "ignore" });
  const client = new Client({ name: "stdio-test", version: "1" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(transport);
  return client;
}
const ask = { name: "search_products", arguments: { query: "keyboard" } };
const found = { structuredContent: { products: expect.arrayContaining([expect.anything()]) } };

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
/** Ends the processes on a folder, and expects that nothing remains soon after. */
async function expectNothingLeft(state: string, pids: number[]) {
  for (let tries = 0; tries < 40 && pids.some(lives); tries++) await sleep(50);
  expect(pids.filter(lives)).toEqual([]);
  expect(await readdir(state)).not.toContain("product-catalog.lock");
}

describe("two clients at once on a new folder", () => {
  it("share one runtime, and each continues when it crashes and when the other ends", async () => {
    const state = at("two");
    const clients = await Promise.all([connect(state), connect(state)]);
    for (const client of clients) expect(await client.callTool(ask)).toMatchObject(found);
    const first = await readLock(state);
    expect(first?.runtimes).toHaveLength(1);

    // Calls during the crash may be lost but are answered; later calls are served.
    for (const pid of first?.runtimes ?? []) process.kill(pid, "SIGKILL");
    const during = await Promise.allSettled(clients.map((client) => client.callTool(ask)));
    for (const outcome of during) {
      if (outcome.status === "fulfilled") expect(outcome.value).toMatchObject(found);
      else expect(String(outcome.reason)).toContain("(unavailable, reference");
    }
    for (const client of clients) expect(await client.callTool(ask)).toMatchObject(found);
    const second = await readLock(state);
    expect(second?.key).not.toBe(first?.key);
    expect(second?.runtimes).toHaveLength(1);

    // One of the two holds the folder; whichever ends first, the other continues.
    await clients[0]?.close();
    expect(await clients[1]?.callTool(ask)).toMatchObject(found);
    const third = await readLock(state);
    await clients[1]?.close();
    const pids = [first, second, third].flatMap((lock) => lock?.runtimes ?? []);
    await expectNothingLeft(state, pids);
  });
});

describe("beside npm run dev", () => {
  it("uses it and outlives it; npm run dev starts again at its port after SIGKILL", async () => {
    const state = at("dev");
    const startDev = () => startCommand("dev", ["--port", "18973", "--state", state], { ownGroup: true });
    const dev = startDev();
    await dev.prints("Ctrl-C");
    const client = await connect(state);
    expect(await client.callTool(ask)).toMatchObject(found);
    expect((await readLock(state))?.pid).toBe(dev.pid);
    dev.kill("SIGKILL");
    await dev.exited;

    const next = startDev();
    await next.prints("Ctrl-C");
    expect((await readLock(state))?.pid).toBe(next.pid);
    // The client's server is gone; one call may be needed to notice.
    await client.callTool(ask).catch(() => {});
    expect(await client.callTool(ask)).toMatchObject(found);
    next.kill("SIGTERM");
    await next.exited;
    await client.callTool(ask).catch(() => {});
    expect(await client.callTool(ask)).toMatchObject(found);
    const own = await readLock(state);
    await client.close();
    await expectNothingLeft(state, own?.runtimes ?? []);
  });
});

describe("its end, if it runs the Worker itself", () => {
  const line = (message: unknown) => `${JSON.stringify(message)}\n`;
  const startOwn = async (state: string) => {
    const { command, args } = await documentedCommand(state);
    const child = spawn(command, args, { env: { PATH: HOST_PATH }, detached: true });
    child.stderr.resume();
    child.stdin.write(line(initialize(1)));
    await once(child.stdout, "data");
    return { child, exit: once(child, "exit") };
  };

  // They use one folder in turn, because filling a new one takes seconds.
  const state = () => at("own");

  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s: exit code 0 and nothing left", async (signal) => {
    const { child, exit } = await startOwn(state());
    const lock = await readLock(state());
    child.kill(signal);
    expect(await exit).toEqual([0, null]);
    await expectNothingLeft(state(), lock?.runtimes ?? []);
    expect(await groupMembers(child.pid ?? 0)).toEqual([]);
  });

  it("output that nobody reads: exit code 0 and nothing left", async () => {
    const { child, exit } = await startOwn(state());
    const lock = await readLock(state());
    child.stdout.destroy();
    child.stdin.write(line(callTool(2, "list_categories")));
    expect(await exit).toEqual([0, null]);
    await expectNothingLeft(state(), lock?.runtimes ?? []);
  });

  it("input that ends before it has started: exit code 0 and nothing left", async () => {
    const running = startCommand("stdio", ["--state", at("early")], { ownGroup: true });
    expect(await within(30_000, running)).toMatchObject({ code: 0, stdout: "" });
    await expectNothingLeft(at("early"), []);
    expect(await groupMembers(running.pid)).toEqual([]);
  });

  it("calls in flight at the end of input are answered first, and settled in the audit", async () => {
    const input = [line(initialize(1)), line(callTool(2, ask.name, ask.arguments))];
    const ended = await within(30_000, startCommand("stdio", ["--state", state()], { input }));
    expect(ended.stdout.trim().split("\n")).toHaveLength(2);
    const server = await startServer({ stateDir: state() });
    const audit = await within(30_000, startCommand("audit", ["export", "local", "--state", state()]));
    await server.close();
    expect(audit.stdout).toContain('"search_products"');
    expect(audit.stdout).toMatch(/"kind":"outcome".*"outcome":"ok"/);
  });

  it("a read-only folder: exit code 1, and standard error says why", async () => {
    await writeFile(at("file"), "");
    const ended = await within(30_000, startCommand("stdio", ["--state", at("file/state")]));
    expect(ended).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining(at("file/state")) });
  });
});
