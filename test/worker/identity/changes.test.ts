import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import * as z from "zod";
import { recordsOf } from "../support/caller.ts";
import { api } from "./support/admin-api.ts";
import { newKey, newUser } from "./support/people.ts";

const made = z.object({ id: z.string() });

async function newAdmin() {
  const id = await newUser(["admin"]);
  const { secret } = await newKey(id);
  const ask = (method: string, path: string, body?: object) => api(secret, method, path, body);
  const make = async (path: string, body: object) =>
    made.parse(await (await ask("POST", path, body)).json()).id;
  return { id, ask, make };
}

const tablesOf = (user: string) =>
  runInDurableObject(env.USER_WINDOWS.getByName(user), (_, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_schema WHERE name = 'records'").toArray(),
  );
const auditOf = (user: string) => recordsOf(env.USER_WINDOWS.getByName(user));

it("the audit of a user has every change an admin makes to them, with its author and no secret", async () => {
  const { id: by, ask, make } = await newAdmin();
  const user = await make("/users", { id: "ada", name: "Ada", roles: ["shopper"] });
  await ask("PUT", `/users/${user}/roles`, { roles: ["support", "inventory"] });
  const narrowed = await make("/keys", { user, label: "till", roles: ["inventory"] });
  const whole = await make("/keys", { user, label: "desk" });
  const signing = await make("/signing-keys", { user, label: "nightly", algorithm: "hmac-sha256" });
  for (const path of [`/keys/${narrowed}`, `/signing-keys/${signing}`]) await ask("POST", `${path}/revoke`);

  const change = (name: string, key: string | null, roles: string[] | null = null) =>
    expect.objectContaining({ kind: "change", change: name, by, key, roles });
  expect(await auditOf(user)).toEqual([
    change("user_added", null, ["shopper"]),
    change("roles_set", null, ["support", "inventory"]),
    change("key_added", narrowed, ["inventory"]),
    change("key_added", whole),
    change("signing_key_added", signing),
    change("key_revoked", narrowed),
    change("signing_key_revoked", signing),
  ]);
  // Anchored at once, so that a user who has not called yet can be exported too.
  const exported = await ask("GET", `/audit/${user}`);
  expect((await exported.text()).split("\n").filter((each) => each.includes('"change"'))).toHaveLength(7);
});

it("refused changes leave no record", async () => {
  const { id, ask } = await newAdmin();
  await env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE id <> ?").bind(id).run();
  const statuses = [
    await ask("POST", "/users", { id, name: "Again", roles: ["shopper"] }),
    await ask("POST", "/users", { id: "no-role", name: "Nobody", roles: [] }),
    await ask("PUT", `/users/${id}/roles`, { roles: ["shopper"] }),
    await ask("PUT", "/users/nobody/roles", { roles: ["shopper"] }),
    await ask("POST", "/keys", { user: "nobody", label: "x" }),
    await ask("POST", "/keys/key-000000000000/revoke"),
  ].map(({ status }) => status);
  expect(statuses).toEqual([409, 400, 409, 404, 404, 404]);
  for (const user of [id, "no-role", "nobody"]) expect(await tablesOf(user)).toEqual([]);
});

it("grants are refused if the audit cannot record them; revocations are done anyway", async () => {
  const { ask } = await newAdmin();
  const user = await newUser(["shopper", "inventory"]);
  const key = (await newKey(user)).id;
  await runInDurableObject(env.USER_WINDOWS.getByName(user), (_, { storage }) => {
    storage.sql.exec("CREATE VIEW records AS SELECT 1 AS seq, 1 AS at, '{}' AS text, '' AS hash");
  });
  const count = async (sql: string) =>
    (await env.DB.prepare(`SELECT 1 FROM ${sql} = ?`).bind(user).all()).results.length;
  for (const [path, body] of [
    [`/users/${user}/roles`, { roles: ["support"] }],
    ["/keys", { user, label: "more" }],
  ] as const)
    expect((await ask(path === "/keys" ? "POST" : "PUT", path, body)).status).toBe(500);
  expect(await count("user_roles WHERE role = 'support' AND user_id")).toBe(0);
  expect(await count("access_keys WHERE user_id")).toBe(1);

  await ask("PUT", `/users/${user}/roles`, { roles: ["shopper"] });
  await ask("POST", `/keys/${key}/revoke`);
  await ask("POST", `/users/${user}/disable`);
  expect(await count("user_roles WHERE role = 'inventory' AND user_id")).toBe(0);
  expect(await count("access_keys WHERE revoked_at IS NULL AND user_id")).toBe(0);
  expect(await count("users WHERE disabled_at IS NOT NULL AND id")).toBe(1);
});
