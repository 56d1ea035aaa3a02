import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { api } from "./support/admin-api.ts";
import { signedIn } from "./support/browser.ts";
import { recordSignOn } from "../../../src/identity/external-identities.ts";
import { keepingAnAdmin } from "../../../src/identity/last-admin.ts";
import { rolesOf } from "../../../src/identity/users.ts";
import { disableUser, setRoles } from "../../../src/identity/administration.ts";
import { runBatch } from "../../../src/database/run-batch.ts";
import { userIdOf } from "../../../src/identity/sign-on/person.ts";
import { newKey, newUser } from "./support/people.ts";

it("the only admin cannot be disabled or demoted; with another admin, it can", async () => {
  const only = await newUser(["admin"]);
  const { secret } = await newKey(only);
  const ask = async (method: string, path: string, body?: object) =>
    (await api(secret, method, `/users/${only}/${path}`, body)).status;
  expect(await ask("POST", "disable")).toBe(409);
  expect(await ask("PUT", "roles", { roles: ["shopper"] })).toBe(409);
  const other = await newUser(["admin", "shopper"]);
  await newKey(other, { roles: ["shopper"] });
  // A user without any credential as an admin could undo nothing.
  expect(await ask("POST", "disable")).toBe(409);
  await newKey(other);
  expect(await ask("PUT", "roles", { roles: ["admin", "shopper"] })).toBe(200);
  expect(await ask("POST", "disable")).toBe(200);
});

it("a database error is not an answer, whatever its text says", async () => {
  const user = await newUser(["admin"]);
  const broken = async () => {
    throw new Error("D1_ERROR: malformed JSON");
  };
  const db = new Proxy(env.DB, {
    get: (target, name) => (name === "batch" ? broken : Reflect.get(target, name).bind(target)),
  });
  await expect(keepingAnAdmin(db, disableUser(user, 1), { user }, 1)).rejects.toThrow("malformed JSON");
});

it("two admins who demote or disable each other at once leave one of them", async () => {
  for (const path of ["roles", "disable", "roles", "disable", "roles"]) {
    await env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE disabled_at IS NULL").run();
    const [first, second] = [await newUser(["admin"]), await newUser(["admin"])];
    const secrets = { [first]: (await newKey(first)).secret, [second]: (await newKey(second)).secret };
    const ask = async (by: string, about: string) => {
      const secret = secrets[by] ?? "";
      const [method, body] = path === "roles" ? ["PUT", { roles: ["shopper"] }] : ["POST"];
      return (await api(secret, method, `/users/${about}/${path}`, body)).status;
    };
    const statuses = await Promise.all([ask(first, second), ask(second, first)]);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    const { results } = await env.DB.prepare(
      `SELECT 1 FROM users JOIN user_roles ON user_id = id WHERE role = 'admin' AND disabled_at IS NULL`,
    ).all();
    expect(results).toHaveLength(1);
  }
});

it("the only admin's last credential cannot be revoked, by the API or at /account; with another admin, it can", async () => {
  await env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE disabled_at IS NULL").run();
  const only = await newUser(["admin"]);
  const { id, secret } = await newKey(only);
  const revoke = async () => (await api(secret, "POST", `/keys/${id}/revoke`)).status;
  const browser = await signedIn(secret);
  expect(await revoke()).toBe(409);
  expect((await browser.post("/account/keys/revoke", { id })).status).toBe(409);
  // None of these credentials lets an admin in.
  await newKey(only, { signature: "required" });
  await newKey(await newUser(["support"]));
  expect(await revoke()).toBe(409);

  const spare = await newKey(only);
  expect((await browser.post("/account/keys/revoke", { id: spare.id })).status).toBe(303);
  // With a signing key, the access key that requires signatures lets an admin in.
  await api(secret, "POST", "/signing-keys", { user: only, label: "x", algorithm: "hmac-sha256" });
  expect(await revoke()).toBe(200);
  expect(await revoke()).toBe(401);
});

describe.each([
  { bringsAdmin: false, groups: [], before: ["admin", "shopper"], after: ["admin"] },
  { bringsAdmin: false, groups: ["support"], before: ["admin"], after: ["admin", "support"] },
  { bringsAdmin: true, groups: [], before: ["admin"], after: [] },
  { bringsAdmin: true, groups: ["support"], before: ["admin"], after: ["support"] },
])("the last admin signs on: $bringsAdmin, $groups", ({ bringsAdmin, groups, before, after }) => {
  const person = (roles: string[]) => ({
    issuer: "https://id.example.com",
    subject: crypto.randomUUID(),
    name: "Ada",
    roles,
    customerId: undefined,
  });
  const recording = () => ({ callers: env.USER_WINDOWS, validDays: 30, bringsAdmin, now: Date.now() });
  const begin = async () => {
    await env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE disabled_at IS NULL").run();
    const ada = person(["shopper"]);
    await recordSignOn(env.DB, ada, recording());
    const id = userIdOf(ada);
    await runBatch(env.DB, setRoles(id, before, { by: null, now: Date.now() }));
    return { id, again: () => recordSignOn(env.DB, { ...ada, roles: groups }, recording()) };
  };

  it("keeps the role if no group makes another admin", async () => {
    const { id, again } = await begin();
    expect(await again()).toMatchObject({ ok: after.length > 0 });
    expect(await rolesOf(env.DB, id)).toEqual(after);
  });

  it("loses the role if there is another admin", async () => {
    const { id, again } = await begin();
    await newKey(await newUser(["admin"]));
    await again();
    expect(await rolesOf(env.DB, id)).toEqual(groups);
  });
});
