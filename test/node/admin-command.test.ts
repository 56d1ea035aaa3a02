import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { demoKeys } from "../../cli/local/demo-users.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { sampleDesk } from "../../cli/sample/demo-data.ts";
import { fillSupport } from "../../src/support/import/statements.ts";
import { runCommand } from "./support/run-command.ts";

let state: string;
let server: LocalServer;
let keys: Record<string, string>;
const log: string[] = [];

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "catalog-admin-"));
  server = await startServer({ stateDir: state, onLog: (line) => log.push(line) });
  keys = await demoKeys(server, state);
});
afterAll(async () => {
  await server.close();
  await rm(state, { recursive: true });
});

const command = (name: string, args: string[], env: Record<string, string> = {}) =>
  runCommand(name, ["--state", state, ...args], { env });
const admin = (name: string, ...args: string[]) => command(name, args);

it("creates the first admin once; a second try says so and logs no error", async () => {
  expect(await admin("users", "bootstrap", "user-001")).toEqual({
    code: 1,
    stdout: "",
    stderr: "The user user-001 already exists. Choose another id.\n",
  });
  expect(await admin("users", "bootstrap", "boss")).toMatchObject({ code: 0, stderr: "" });
  expect(await admin("users", "bootstrap", "other")).toEqual({
    code: 1,
    stdout: "",
    stderr: "The first admin already exists: boss.\n",
  });
  expect(log.filter((line) => line.includes('"error"'))).toEqual([]);
});

describe("revoke", () => {
  it.each(["keys", "signing-keys"])(
    "%s: a second time says that the key was revoked before",
    async (kind) => {
      const made = await admin(kind, "create", "--user", "user-001", "--label", "to revoke", "--json");
      const { id } = z.object({ id: z.string() }).parse(JSON.parse(made.stdout));
      expect(await admin(kind, "revoke", id)).toMatchObject({ code: 0, stdout: `Done: ${id}\n` });
      expect(await admin(kind, "revoke", id)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(new RegExp(`^${id} was already revoked at 2\\d{3}-.*Z\\.\n$`)),
      });
    },
  );

  it("refuses an empty id and dots, which would change the path", async () => {
    for (const { id, why } of [
      { id: "", why: "It is empty." },
      { id: "..", why: "It is not an id." },
    ])
      expect(await admin("keys", "revoke", id)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`'${id}' is invalid for argument 'id'. ${why}`),
      });
  });
});

describe("explains a refusal to a person:", () => {
  const lists = (those: string) => `List the existing ones: npx product-catalog-mcp ${those} list`;
  it.each([
    [["users", "disable", "nobody"], `There is no user of that id. ${lists("users")}`],
    [["keys", "revoke", "key-none"], `There is no key of that id. ${lists("keys")}`],
    [["signing-keys", "revoke", "none"], `There is no key of that id. ${lists("signing-keys")}`],
    [["keys", "create", "--user", "nobody", "--label", "x"], `There is no such user. ${lists("users")}`],
    [
      ["users", "add", "user-001", "--name", "x", "--roles", "shopper"],
      "A user has or had that id. Ids of deleted users are not used again; choose another.",
    ],
    [["users", "roles", "user-001", "none"], /^roles\.0: must be one of shopper, .*admin\.$/],
    [
      ["keys", "create", "--user", "x", "--label", "x", "--days", "0"],
      /argument '0' is invalid\. A key lives 1 to 3650 days\.$/m,
    ],
  ])("%j", async ([name = "", ...args], said) => {
    const { code, stdout, stderr } = await admin(name, ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.trimEnd()).toEqual(typeof said === "string" ? said : expect.stringMatching(said));
  });

  it("audit export", async () => {
    expect(await command("audit", ["export", "nobody"])).toMatchObject({
      code: 2,
      stderr: `There is no audit of that principal. ${lists("audit")}\n`,
    });
  });

  it("names the variable that holds a wrong key", async () => {
    expect(await command("users", ["list"], { CATALOG_ADMIN_KEY: "wrong" })).toMatchObject({
      code: 1,
      stderr: `${server.url} rejects the access key in CATALOG_ADMIN_KEY. Set CATALOG_ADMIN_KEY to an admin's access key.\n`,
    });
    const shopper = { CATALOG_ADMIN_KEY: keys["user-001"] ?? "" };
    expect(await command("users", ["list"], shopper)).toMatchObject({
      stderr: "This needs the role admin. The access key in CATALOG_ADMIN_KEY lacks it.\n",
    });
  });
});

it("takes roles separated by commas", async () => {
  const added = await admin(
    "users",
    "add",
    "both",
    "--name",
    "Both",
    "--roles",
    "shopper,support",
    "inventory",
  );
  expect(added).toMatchObject({ code: 0 });
  expect(await admin("users", "list", "--json")).toMatchObject({
    stdout: expect.stringContaining('"inventory, shopper, support"'),
  });
});

it("lists keys and incidents within 100 columns with their ids, and everything as JSON", async () => {
  const signing = await admin(
    "signing-keys",
    "create",
    "--user",
    "user-support",
    "--label",
    "orders service",
    "--json",
  );
  const { id } = z.object({ id: z.string() }).parse(JSON.parse(signing.stdout));
  const incident = {
    id: "x".repeat(22),
    values: ["attacker-00000000", "people-guessing", "get_customer_orders"],
  };
  await server.batch([
    {
      sql: `INSERT INTO incidents (id, principal, rule, tool, rule_version, verdict, severity, observed, threshold,
          window_ms, events, first_at, last_at, count, status)
        VALUES (?1, ?2, ?3, ?4, 1, 'confirm', 'medium', 8, 7, 1, '[]', 0, 0, 64, 'open')`,
      values: [incident.id, ...incident.values],
    },
  ]);
  for (const { name, args, shows } of [
    { name: "keys", args: ["list"], shows: "user-admin" },
    { name: "signing-keys", args: ["list"], shows: id },
    {
      name: "incidents",
      args: [],
      shows: `  attacker-00000000, people-guessing: ${server.url}/confirm/${incident.id}`,
    },
  ]) {
    const { stdout } = await admin(name, ...args);
    expect(stdout).toContain(shows);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(JSON.parse((await admin(name, ...args, "--json")).stdout)).not.toEqual([]);
  }
});

describe("audit", () => {
  beforeAll(async () => {
    await server.batch(fillSupport(sampleDesk()));
  });
  const callsSchema = z.array(z.object({ principal: z.string(), call: z.string(), ended: z.string() }));
  const calls = async (...args: string[]) => {
    const { stdout, stderr } = await admin("audit", "calls", ...args, "--json");
    expect(stderr).toBe("");
    return callsSchema.parse(JSON.parse(stdout));
  };
  async function callTool(user: string, name: string, args: object): Promise<void> {
    const response = await fetch(`${server.url}/mcp`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${keys[user]}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name, arguments: args },
      }),
    });
    await response.text();
  }

  it("says who read a customer, who tried to, and what a caller was refused", async () => {
    await callTool("user-support", "get_customer", { customer_id: "C-10042" });
    await callTool("user-support", "get_customer", { customer_id: "C-10043" });
    await callTool("user-customer", "get_customer_orders", { customer_id: "C-10042" });
    await callTool("user-001", "get_customer", { customer_id: "C-10042" });
    expect(await calls("--customer", "C-10042")).toEqual([
      { principal: "user-001", call: "get_customer", ended: "permission_denied" },
      { principal: "user-customer", call: "get_customer_orders", ended: "ok" },
      { principal: "user-support", call: "get_customer", ended: "ok" },
    ]);
    expect(await calls("--customer", "C-99999")).toEqual([]);
    expect(await calls("user-support", "--refused")).toEqual([]);
    expect(await calls("user-001", "--refused")).toEqual([
      { principal: "user-001", call: "get_customer", ended: "permission_denied" },
    ]);
    expect((await calls("user-support")).map(({ call }) => call)).toEqual(["get_customer", "get_customer"]);
  });

  it("answers a person's requests for access and for erasure", async () => {
    const today = () => new Date().toISOString().slice(0, 10);
    const days = [today()];
    await callTool("user-support", "get_customer", { customer_id: "C-10044" });
    await callTool("user-support", "get_customer", { customer_id: "C-10044" });
    days.push(today());
    // An export writes the anchor, and the readings with it.
    await admin("audit", "export", "user-support");
    const readings = z
      .array(z.looseObject({ day: z.string(), first_at: z.string(), times: z.int() }))
      .parse(JSON.parse((await admin("audit", "subject", "C-10044", "--json")).stdout));
    for (const { day, first_at } of readings) {
      expect(days).toContain(day);
      expect(first_at.slice(0, 10)).toBe(day);
    }
    expect(readings).toMatchObject([{ principal: "user-support", call: "get_customer", times: 2 }]);
    const erased = JSON.parse((await admin("audit", "erase", "C-10044", "--json")).stdout);
    const ends = days.map((day) => new Date(Date.parse(day) + 90 * 86_400_000).toISOString().slice(0, 10));
    const until: unknown = expect.toBeOneOf(ends);
    expect(erased).toMatchObject({ customer: "C-10044", erased: 1, stays: [{ until }, { until }] });
    expect((await admin("audit", "subject", "C-10044")).stdout).toMatch(/^Nobody read C-10044\./);
    expect(await admin("audit", "erase", "Ada Lovelace")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("C-10042"),
    });
  });
});
