import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { demoKeys } from "../../cli/local/demo-users.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { startScript, within } from "./support/processes.ts";

let state: string;
let server: LocalServer;
const log: string[] = [];

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "catalog-admin-"));
  server = await startServer({ stateDir: state, onLog: (line) => log.push(line) });
  await demoKeys(server, state);
});
afterAll(async () => {
  await server.close();
  await rm(state, { recursive: true });
});

const command = (script: string, args: string[], env: Record<string, string> = {}) =>
  within(30_000, startScript(script, ["--state", state, ...args], { env }));
const admin = (...args: string[]) => command("admin", args);

it("the first admin is made once; a second try says so, and is no error in the server's log", async () => {
  expect(await admin("bootstrap", "user-001")).toEqual({
    code: 1,
    stdout: "",
    stderr: "There is a user user-001 already.\n",
  });
  expect(await admin("bootstrap", "boss")).toMatchObject({ code: 0, stderr: "" });
  expect(await admin("bootstrap", "other")).toEqual({
    code: 1,
    stdout: "",
    stderr: "The first admin was made before: boss.\n",
  });
  expect(log.filter((line) => line.includes('"error"'))).toEqual([]);
});

describe("revoking", () => {
  it.each(["keys", "signing-keys"])("of %s: a second time says that it was done before", async (kind) => {
    const made = await admin("--json", kind, "create", "--user", "user-001", "--label", "to revoke");
    const { id } = z.object({ id: z.string() }).parse(JSON.parse(made.stdout));
    expect(await admin(kind, "revoke", id)).toMatchObject({ code: 0, stdout: `Done: ${id}\n` });
    expect(await admin(kind, "revoke", id)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^${id} was revoked before, at 2\\d{3}-.*Z\\.\n$`)),
    });
  });

  it("of no id is refused here: it would be another path of the server's", async () => {
    for (const { id, why } of [
      { id: "", why: "It is empty." },
      { id: "..", why: "It is no id." },
    ])
      expect(await admin("keys", "revoke", id)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`'${id}' is invalid for argument 'id'. ${why}`),
      });
  });
});
