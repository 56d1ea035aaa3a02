import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { api } from "./support/admin-api.ts";
import { newKey, newUser } from "./support/people.ts";

it("the only admin can't be disabled or demoted, and can where there is another", async () => {
  const only = await newUser(["admin"]);
  const { secret } = await newKey(only);
  const ask = async (method: string, path: string, body?: object) =>
    (await api(secret, method, `/users/${only}/${path}`, body)).status;
  expect(await ask("POST", "disable")).toBe(409);
  expect(await ask("PUT", "roles", { roles: ["shopper"] })).toBe(409);
  await newUser(["admin"]);
  expect(await ask("PUT", "roles", { roles: ["admin", "shopper"] })).toBe(200);
  expect(await ask("POST", "disable")).toBe(200);
});

it("two who demote or disable each other at once leave one of them", async () => {
  for (const path of ["roles", "disable", "roles", "disable", "roles"]) {
    await env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE disabled_at IS NULL").run();
    const [first, second] = [await newUser(["admin"]), await newUser(["admin"])];
    const ask = async (by: string, about: string) => {
      const { secret } = await newKey(by);
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
