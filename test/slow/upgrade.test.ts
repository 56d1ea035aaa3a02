import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readDemoKeys } from "../../cli/local/demo-keys.ts";
import { findServer } from "../../cli/local/server.ts";
import { DEMO_CUSTOMER } from "../../cli/sample/generate-desk.ts";
import { readChain } from "../../lab/support/chains.ts";
import { toId } from "../../src/support/ids.ts";
import { type Running, endGroups, start, startCommand } from "../node/support/processes.ts";
import { callTool } from "./support/mcp-call.ts";

// The code of each release that CHANGELOG.md names runs here, on one state folder in turn with this code.

const run = promisify(execFile);
const changelog = await readFile("CHANGELOG.md", "utf8");
const releases = [...changelog.matchAll(/^## (\d+\.\d+\.\d+), commit ([0-9a-f]{12})$/gm)].map(
  ([, version = "", commit = ""]) => ({ version, commit }),
);

const SEARCH = ["search_products", { query: "wireless keyboard" }] as const;
const CUSTOMER = ["get_customer", { customer_id: toId("C", DEMO_CUSTOMER) }] as const;
const WRITE = [
  "update_inventory",
  {
    changes: [{ sku: "SKU-10001", warehouse: "east", delta: -1 }],
    reason: "An order",
    idempotency_key: "upgrade-1",
  },
] as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-upgrade-"));
});
afterEach(endGroups);
afterAll(() => rm(folder, { recursive: true, maxRetries: 5 }));

/** Writes the files of a commit to a folder. Its packages are this commit's. */
async function checkOut(commit: string): Promise<string> {
  const path = join(folder, commit);
  await mkdir(path);
  const tar = join(folder, `${commit}.tar`);
  await run("git", ["archive", "--output", tar, commit]);
  await run("tar", ["-xf", tar, "-C", path]);
  await symlink(resolve("node_modules"), join(path, "node_modules"));
  return path;
}

const startOld = (cwd: string, state: string): Running =>
  start(process.execPath, ["cli/dev.ts", "--port", "0", "--state", state], { cwd, ownGroup: true });
const startNew = (state: string): Running =>
  startCommand("dev", ["--port", "0", "--state", state], { ownGroup: true });

/** Runs work on a server, and ends it. */
async function on<T>(running: Running, state: string, work: (url: string) => Promise<T>): Promise<T> {
  await running.prints("Ctrl-C");
  const server = await findServer(state);
  if (server === undefined) throw new Error("The server has no lock.");
  const result = await work(server.url);
  running.kill("SIGINT");
  await running.exited;
  return result;
}

it("CHANGELOG.md names a release, and the one in work is package.json's", async () => {
  const { version } = JSON.parse(await readFile("package.json", "utf8"));
  expect(releases.length).toBeGreaterThan(0);
  expect(changelog).toContain(`## ${version}, in work\n`);
  const files = await run("git", ["ls-files", "migrations"]);
  const kept = await readFile(`test/worker/stored/release-${releases[0]?.version}/state.jsonl`, "utf8");
  const newer = files.stdout
    .trim()
    .split("\n")
    .map((file) => file.replace(/^migrations\/|\.sql$/g, ""))
    .filter((name) => !kept.includes(`"${name}.sql"`));
  expect(newer.filter((name) => !changelog.includes(name))).toEqual([]);
});

describe.each(releases)("release $version", ({ commit }) => {
  it("is upgraded, rolled back to and left again with its keys, its catalog and its audits", async () => {
    const old = await checkOut(commit);
    const state = join(folder, `state-${commit}`);
    const answered: Record<string, unknown> = {};
    const call = async (url: string, user: string, [tool, args]: readonly [string, object]) => {
      const key = (await readDemoKeys(state))[user] ?? "";
      return (await callTool(url, key, tool, args)).isError !== true;
    };
    const verified = async (url: string, principal: string) => {
      const chain = await readChain(url, (await readDemoKeys(state))["user-admin"] ?? "", principal);
      return chain?.problem ?? `${chain?.calls} calls`;
    };
    const all = async (url: string) => ({
      search: await call(url, "user-001", SEARCH),
      customer: await call(url, "user-support", CUSTOMER),
      catalogAudit: await verified(url, "user-001"),
    });

    answered["before"] = await on(startOld(old, state), state, all);
    answered["upgraded"] = await on(startNew(state), state, async (url) => ({
      ...(await all(url)),
      write: await call(url, "user-inventory", WRITE),
    }));
    answered["rolled back"] = await on(startOld(old, state), state, async (url) => ({
      search: await call(url, "user-001", SEARCH),
      catalogAudit: await verified(url, "user-001"),
    }));
    answered["upgraded again"] = await on(startNew(state), state, async (url) => ({
      ...(await all(url)),
      peopleAudit: await verified(url, "user-support"),
    }));

    expect(answered).toEqual({
      before: { search: true, customer: true, catalogAudit: "1 calls" },
      upgraded: { search: true, customer: true, catalogAudit: "2 calls", write: true },
      "rolled back": { search: true, catalogAudit: "3 calls" },
      "upgraded again": { search: true, customer: true, catalogAudit: "4 calls", peopleAudit: "3 calls" },
    });
  }, 240_000);
});
