import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newRecoveryCode, setRecoveryCode } from "../../../src/identity/recovery-code.ts";
import { runBatch } from "../../../src/database/run-batch.ts";
import { type Browser, field, signedIn } from "../identity/support/browser.ts";
import { api } from "../identity/support/admin-api.ts";
import { bearer, post } from "../identity/support/deployed.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { recordsOf } from "../support/caller.ts";
import { modern } from "../support/modern.ts";

let adminId: string;
let admin: Browser;
let user: string;
let ids = 0;
const file = crypto.randomUUID().slice(0, 8);
const nextId = () => `made-${file}-${++ids}`;

beforeAll(async () => {
  // Another admin stays, so that no change is refused because of the last one.
  await newKey(await newUser(["admin"]));
});
beforeEach(async () => {
  adminId = await newUser(["admin"]);
  admin = await signedIn((await newKey(adminId)).secret);
  user = await newUser(["shopper", "support"]);
});

type Fields = [string, string][];
const path = (more = "", id = user) => `/admin/users/${id}${more}`;
const page = async (at = path()) => (await admin.request(at)).text();
const changes = async (id: string) =>
  (await recordsOf(env.USER_WINDOWS.getByName(id))).flatMap((record) =>
    record.kind === "change" ? [[record.change, record.by]] : [],
  );
const writes = async () =>
  (await recordsOf(env.USER_WINDOWS.getByName(adminId))).flatMap((record) =>
    record.kind === "attempt" && record.name.startsWith("admin.") ? [record.name] : [],
  );
const rolesOf = async (id: string) =>
  (
    await env.DB.prepare("SELECT role FROM user_roles WHERE user_id = ? ORDER BY role").bind(id).all()
  ).results.map(({ role }) => role);
/** The status of a request with an access key. */
async function statusWith(secret: string): Promise<number> {
  const { body, headers } = modern("tools/list", {});
  return (await post(body, { ...headers, ...bearer(secret) })).status;
}

describe("adding a user", () => {
  const add = (fields: Fields) => admin.post("/admin/users", fields);

  it("adds it as the admin API does: in its audit, counted as an admin's change, and made by the admin", async () => {
    const id = nextId();
    const response = await add([
      ["id", id],
      ["name", "New <b>Person</b>"],
      ["kind", "service"],
      ["roles", "shopper"],
      ["roles", "inventory"],
    ]);
    expect([response.status, response.headers.get("location")]).toEqual([
      303,
      `/admin/users/${id}?done=added`,
    ]);
    expect(await rolesOf(id)).toEqual(["inventory", "shopper"]);
    expect(await changes(id)).toEqual([["user_added", adminId]]);
    expect(await writes()).toEqual(["admin.users.add"]);
    const row = await env.DB.prepare("SELECT kind, created_by, apart FROM users WHERE id = ?")
      .bind(id)
      .first();
    expect(row).toEqual({ kind: "service", created_by: adminId, apart: null });
    const html = await page(`/admin/users/${id}?done=added`);
    expect(html).toContain("New &lt;b&gt;Person&lt;/b&gt;");
  });

  it.each<[string, Fields, string]>([
    ["an id with a space", [["id", "two words"]], "Id must be 1 to 64 letters"],
    ["a reserved id", [["id", "anon-1"]], "Id must not begin with"],
    ["no role", [], "Roles is missing"],
    ["an unknown role", [["roles", "emperor"]], "Roles must be one of"],
    ["a customer's role without a customer", [["roles", "customer"]], "Customer is missing"],
    [
      "a wrong recovery code",
      [
        ["roles", "shopper"],
        ["recovery_code", "wrong"],
      ],
      "is not a valid recovery code",
    ],
  ])("says what is wrong with %s, and keeps what was typed", async (_, fields, problem) => {
    const idField: Fields[number] = ["id", nextId()];
    const all: Fields = [["name", "Kept & safe"], ...fields, ...(fields[0]?.[0] === "id" ? [] : [idField])];
    const response = await add(all);
    expect(response.status).toBe(409);
    const html = await response.text();
    expect(html).toContain(problem);
    expect(html).toContain('value="Kept &amp; safe"');
    if (fields.some(([, value]) => value === "shopper"))
      expect(html).toContain('name="roles" value="shopper" checked');
    // A secret is never sent back.
    expect(html).not.toContain('value="wrong"');
    expect(await writes()).toEqual([]);
  });

  it("refuses an id that was used before, also that of a deleted user", async () => {
    await admin.post(path("/delete"), { id: user });
    const response = await add([
      ["id", user],
      ["name", "x"],
      ["roles", "shopper"],
    ]);
    expect(response.status).toBe(409);
    expect(await response.text()).toContain("choose another");
  });

  it("lets the recovery code vouch for it", async () => {
    const { code, hash } = newRecoveryCode();
    await runBatch(env.DB, [setRecoveryCode(hash, Date.now())]);
    const id = nextId();
    await add([
      ["id", id],
      ["name", "x"],
      ["roles", "support"],
      ["recovery_code", code],
    ]);
    expect(await env.DB.prepare("SELECT apart FROM users WHERE id = ?").bind(id).first("apart")).toBe(
      "vouched",
    );
  });

  it("stops at the budget of an admin's changes, in words, and can still take away", async () => {
    for (let made = 0; made < 60; made++)
      await add([
        ["id", nextId()],
        ["name", "x"],
        ["roles", "shopper"],
      ]);
    const id = nextId();
    const response = await add([
      ["id", id],
      ["name", "Typed"],
      ["roles", "shopper"],
    ]);
    expect(response.status).toBe(409);
    const html = await response.text();
    expect(html).toContain("Nothing was changed. Try again in");
    expect(html).toContain(`value="${id}"`);
    expect(await env.DB.prepare("SELECT 1 FROM users WHERE id = ?").bind(id).first()).toBeNull();
    expect((await admin.post(path("/disable"), { note: "" })).status).toBe(303);
  }, 60_000);
});

describe("changing a user", () => {
  it("sets roles, with the same records as the admin API", async () => {
    const response = await admin.post(path("/roles"), [
      ["roles", "shopper"],
      ["roles", "inventory"],
    ]);
    expect(response.headers.get("location")).toBe(path("?done=roles"));
    expect(await rolesOf(user)).toEqual(["inventory", "shopper"]);
    const other = await newUser(["shopper", "support"]);
    await api((await newKey(adminId)).secret, "PUT", `/users/${other}/roles`, {
      roles: ["shopper", "inventory"],
    });
    expect(await changes(user)).toEqual(await changes(other));
  });

  it("keeps the boxes that were ticked if they are refused", async () => {
    const response = await admin.post(path("/roles"), [
      ["roles", "customer"],
      ["customer_id", "CUS-none"],
    ]);
    expect(response.status).toBe(409);
    const html = await response.text();
    expect(html).toContain("is not a customer of the support desk");
    expect(html).toContain('name="roles" value="customer" checked');
    expect(html).not.toContain('name="roles" value="support" checked');
    expect(html).toContain('value="CUS-none"');
    expect(await rolesOf(user)).toEqual(["shopper", "support"]);
  });

  it("disables and enables it with a note in its audit", async () => {
    const { secret } = await newKey(user);
    await admin.post(path("/disable"), { note: "On leave" });
    expect(await statusWith(secret)).toBe(401);
    await admin.post(path("/enable"), { note: "Back" });
    expect(await statusWith(secret)).toBe(200);
    const decisions = (await recordsOf(env.USER_WINDOWS.getByName(user))).flatMap((record) =>
      record.kind === "decision" ? [[record.decision, record.note, record.by]] : [],
    );
    expect(decisions).toEqual([
      ["disabled", "On leave", adminId],
      ["enabled", "Back", adminId],
    ]);
  });

  it("deletes it only if its id is entered", async () => {
    expect((await admin.post(path("/delete"), { id: "another" })).status).toBe(409);
    const response = await admin.post(path("/delete"), { id: user });
    expect(response.headers.get("location")).toBe("/admin/users?done=deleted");
    expect((await admin.request(path())).status).toBe(404);
    expect(await changes(user)).toEqual([["user_deleted", adminId]]);
  });
});

describe("a new key", () => {
  const make = async (fields: Fields = []) =>
    admin.post(path("/keys"), [
      ["label", "laptop"],
      ["expires_in_days", "90"],
      ["id", field(await page(), "id")],
      ...fields,
    ]);
  const secretIn = (html: string) => /<code id="secret"[^>]*>\s*([^<\s]+)\s*<\/code>/.exec(html)?.[1] ?? "";

  it("is shown once, in an answer that is no redirect and is not stored, and works", async () => {
    const response = await make();
    expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
    const secret = secretIn(await response.text());
    expect(await statusWith(secret)).toBe(200);
    expect(await page()).not.toContain(secret);
    const stored = await env.DB.prepare("SELECT * FROM access_keys WHERE user_id = ?").bind(user).first();
    expect(JSON.stringify(stored)).not.toContain(secret);
    const audited = [
      ...(await recordsOf(env.USER_WINDOWS.getByName(user))),
      ...(await recordsOf(env.USER_WINDOWS.getByName(adminId))),
    ];
    expect(JSON.stringify(audited)).not.toContain(secret);
    expect(stored).toMatchObject({
      label: "laptop",
      roles: null,
      created_by: adminId,
      signature: "optional",
    });
    expect(Number(stored?.["expires_at"]) - Number(stored?.["created_at"])).toBe(90 * 86_400_000);
    expect(await changes(user)).toEqual([["key_added", adminId]]);
    expect(await writes()).toEqual(["admin.keys.create"]);
  });

  it("is made once by a form that is sent twice, as by going back", async () => {
    const id = field(await page(), "id");
    const send = () =>
      admin.post(path("/keys"), [
        ["label", "laptop"],
        ["id", id],
      ]);
    expect(secretIn(await (await send()).text())).not.toBe("");
    const again = await send();
    expect(again.status).toBe(409);
    const html = await again.text();
    expect(html).toContain("was sent before");
    expect(secretIn(html)).toBe("");
  });

  it("is made once by a form that is sent several times at once", async () => {
    const id = field(await page(), "id");
    const sent = await Promise.all(
      Array.from({ length: 4 }, () =>
        admin.post(path("/keys"), [
          ["label", "laptop"],
          ["id", id],
        ]),
      ),
    );
    expect(sent.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409]);
  });

  it("has only the roles that are ticked, of those that the user has", async () => {
    await make([["roles", "shopper"]]);
    const roles = "SELECT roles FROM access_keys WHERE user_id = ?";
    expect(await env.DB.prepare(roles).bind(user).first("roles")).toBe('["shopper"]');
    const refused = await make([["roles", "admin"]]);
    expect(refused.status).toBe(409);
    expect(await refused.text()).toContain("narrows those of the user, who has shopper, support");
  });

  it("needs a label, and keeps the other choices without one", async () => {
    const response = await admin.post(path("/keys"), [
      ["label", ""],
      ["expires_in_days", "365"],
      ["roles", "support"],
      ["signature", "required"],
    ]);
    expect(response.status).toBe(409);
    const html = await response.text();
    expect(html).toContain("Label is missing.");
    expect(html).toContain('value="365" selected');
    expect(html).toContain('name="roles" value="support" checked');
    expect(html).toContain('value="required" selected');
  });

  it("is refused for a disabled user, and its form is not offered", async () => {
    await admin.post(path("/disable"), { note: "" });
    expect(await page()).not.toContain(`action="${path("/keys")}"`);
    const response = await admin.post(path("/keys"), [["label", "laptop"]]);
    expect(response.status).toBe(409);
    expect(await response.text()).toContain("enable it first");
  });
});

describe("revoking", () => {
  it("refuses the key from the next call on, once in the audit", async () => {
    const { id, secret } = await newKey(user);
    expect(await statusWith(secret)).toBe(200);
    for (let time = 0; time < 2; time++) {
      const response = await admin.post(path(`/keys/${id}/revoke`), {});
      expect(response.headers.get("location")).toBe(path("?done=revoked"));
    }
    expect(await statusWith(secret)).toBe(401);
    expect(await changes(user)).toEqual([["key_revoked", adminId]]);
    const html = await page();
    expect(html).toContain("revoked");
    expect(html).not.toContain(`/keys/${id}/revoke`);
  });

  it("answers 404 for a key that does not exist", async () => {
    expect((await admin.post(path("/keys/key-000000000000/revoke"), {})).status).toBe(404);
  });
});

it("lists users by the beginning of their ids, with their valid keys", async () => {
  await newKey(user);
  const { id } = await newKey(user);
  await admin.post(path(`/keys/${id}/revoke`), {});
  const html = await page(`/admin/users?q=${user}`);
  const row = html.slice(html.indexOf(`id="user-${user}"`)).split("</tr>")[0] ?? "";
  expect(row).toContain('data-column="Valid keys" data-value="1"');
  expect(await page("/admin/users?q=zzz-nobody")).toContain("No id begins so.");
});
