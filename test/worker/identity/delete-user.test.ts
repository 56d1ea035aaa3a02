import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { exported } from "../support/audit.ts";
import { ADA, fillDesk } from "../support/desk.ts";
import { api } from "./support/admin-api.ts";
import { signedIn } from "./support/browser.ts";
import { bearer, post, search } from "./support/deployed.ts";
import { keyOf, newKey, newUser } from "./support/people.ts";

beforeAll(() => fillDesk());

const codeOf = async (response: Response) => {
  const { code }: { code: string } = await response.json();
  return code;
};

it("a deleted user's keys and sessions end, the audit stays, and the id is never reused", async () => {
  const admin = await keyOf(["admin"]);
  const user = await newUser(["shopper"]);
  const { secret } = await newKey(user);
  const browser = await signedIn(secret);
  expect((await post(search(), bearer(secret))).status).toBe(200);

  expect((await api(admin, "DELETE", `/users/${user}`)).status).toBe(200);
  expect((await post(search(), bearer(secret))).status).toBe(401);
  expect((await browser.request("/account")).status).toBe(303);
  const { lines } = await exported(user);
  expect(lines.filter((each) => each.includes('"user_deleted"'))).toHaveLength(1);
  const again = { id: user, name: "Again", roles: ["admin"] };
  expect(await codeOf(await api(admin, "POST", "/users", again))).toBe("conflict");
  const gone: [string, string, object?][] = [
    ["POST", `/users/${user}/enable`],
    ["PUT", `/users/${user}/roles`, { roles: ["admin"] }],
    ["POST", "/keys", { user, label: "x" }],
    ["DELETE", `/users/${user}`],
  ];
  for (const [method, path, body] of gone)
    expect(await codeOf(await api(admin, method, path, body))).toBe("not_found");
  const { users }: { users: { id: string }[] } = await (await api(admin, "GET", "/users")).json();
  expect(users.map(({ id }) => id)).not.toContain(user);
  const kept = await env.DB.prepare("SELECT name, customer_id FROM users WHERE id = ?").bind(user).first();
  expect(kept).toEqual({ name: "Deleted user", customer_id: null });
});

it("the dashboard deletes the user whom the form names by id only", async () => {
  const browser = await signedIn(await keyOf(["admin"]));
  const user = await newUser(["shopper"]);
  const path = `/admin/callers/${user}/delete`;
  expect((await browser.post(path, { id: "somebody" })).status).toBe(409);
  expect((await browser.post(path, { id: user })).status).toBe(303);
  expect(await (await browser.request(`/admin/callers/${user}`)).text()).toContain("deleted");
  expect((await browser.post(`/admin/callers/${user}/enable`, {})).status).toBe(409);
});

it("the only admin cannot be deleted", async () => {
  await env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE disabled_at IS NULL").run();
  const only = await newUser(["admin"]);
  const { secret } = await newKey(only);
  expect(await codeOf(await api(secret, "DELETE", `/users/${only}`))).toBe("conflict");
  const { secret: other } = await newKey(await newUser(["admin"]));
  expect((await api(other, "DELETE", `/users/${only}`)).status).toBe(200);
});

it("a user who reads the support desk as a customer must be an existing customer", async () => {
  const admin = await keyOf(["admin"]);
  const add = (id: string, roles: string[], customer_id?: string) =>
    api(admin, "POST", "/users", { id, name: "x", roles, ...(customer_id !== undefined && { customer_id }) });
  expect(await codeOf(await add("cust-1", ["customer"]))).toBe("invalid_arguments");
  expect(await codeOf(await add("cust-1", ["customer"], "C-999999"))).toBe("invalid_arguments");
  expect(await codeOf(await add("cust-1", ["customer"], "Ada"))).toBe("invalid_arguments");
  expect((await add("cust-1", ["customer"], ADA)).status).toBe(201);
  expect((await add("cust-2", ["shopper"])).status).toBe(201);
  const become = (body: object) => api(admin, "PUT", "/users/cust-2/roles", { roles: ["customer"], ...body });
  expect(await codeOf(await become({}))).toBe("invalid_arguments");
  expect(await codeOf(await become({ customer_id: "C-999999" }))).toBe("invalid_arguments");
  expect((await become({ customer_id: ADA })).status).toBe(200);
  const row = await env.DB.prepare("SELECT customer_id FROM users WHERE id = 'cust-2'").first();
  expect(row).toEqual({ customer_id: ADA });
});
