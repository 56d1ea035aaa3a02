import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { runBatch } from "../../../src/database/run-batch.ts";
import { bootstrapAdmin, revokeKey } from "../../../src/identity/administration.ts";
import { refusals } from "../../../src/refusal-codes.ts";
import { fill, sample } from "../support/catalog.ts";
import { api } from "./support/admin-api.ts";
import { signedIn } from "./support/browser.ts";
import { bearer, post, search, send } from "./support/deployed.ts";
import { keyOf, newKey, newUser } from "./support/people.ts";

beforeAll(() => fill(sample));

const statuses = new Map<string, number>(Object.entries(refusals).map(([code, { http }]) => [code, http]));
const refusalSchema = z.object({ code: z.string(), error: z.string() });

/** Returns the code of a refusal, whose status must be the table's. */
async function refusalOf(response: Response): Promise<string> {
  const { code } = refusalSchema.parse(await response.json());
  expect(response.status).toBe(statuses.get(code));
  return code;
}

const usersSchema = z.object({
  users: z.array(
    z.object({ id: z.string(), roles: z.string().nullable(), disabled_at: z.string().nullable() }),
  ),
});
const userOf = async (key: string, id: string) =>
  usersSchema
    .parse(await (await api(key, "GET", "/users?limit=1000")).json())
    .users.find((user) => user.id === id);

const createdSchema = z.object({ id: z.string(), key: z.string(), expires_at: z.string().nullable() });
const keysSchema = z.object({ keys: z.array(z.looseObject({ id: z.string(), user: z.string() })) });

const statusOf = async (key: string) => (await post(search(), bearer(key))).status;

let names = 0;
const newName = () => `made-${(names += 1)}`;
const validUser = () => ({ id: newName(), name: "Ada", roles: ["shopper"] });

const everyRoute: [string, string][] = [
  ["GET", "/users"],
  ["POST", "/users"],
  ["PUT", "/users/person-1/roles"],
  ["POST", "/users/person-1/disable"],
  ["POST", "/users/person-1/enable"],
  ["GET", "/keys"],
  ["POST", "/keys"],
  ["POST", "/keys/key-1/revoke"],
  ["GET", "/signing-keys"],
  ["POST", "/signing-keys"],
  ["POST", "/signing-keys/sign-1/revoke"],
  ["GET", "/feeds"],
  ["POST", "/feeds"],
  ["GET", "/feeds/feed-1"],
  ["POST", "/feeds/feed-1/run"],
  ["POST", "/feeds/feed-1/apply"],
  ["DELETE", "/feeds/feed-1"],
  ["POST", "/uploads"],
  ["PUT", "/uploads/upload-1/pieces/0"],
  ["POST", "/uploads/upload-1/pieces/1/end"],
  ["GET", "/deliveries"],
  ["GET", "/nowhere"],
];

it("refuses an object with a length of its own where a text belongs", async () => {
  const key = await keyOf(["admin"]);
  const label = { length: { toString: 1, valueOf: 1 } };
  for (const path of ["/signing-keys", "/keys"]) {
    const sent = { user: "user-1", algorithm: "hmac-sha256", label };
    expect(await refusalOf(await api(key, "POST", path, sent))).toBe("invalid_arguments");
  }
});

describe.each(everyRoute)("%s %s", (method, path) => {
  it("requires a key", async () => {
    const response = await send(`/admin/api${path}`, { method });
    expect(response.headers.get("www-authenticate")).toMatch(/^Bearer /);
    expect(await refusalOf(response)).toBe("unauthenticated");
  });

  it.each(["shopper", "customer", "support", "inventory"] as const)(
    "rejects a key of the role %s",
    async (role) => {
      expect(await refusalOf(await api(await keyOf([role]), method, path))).toBe("permission_denied");
    },
  );

  it("rejects an admin's key narrowed to another role", async () => {
    const { secret } = await newKey(await newUser(["admin", "shopper"]), { roles: ["shopper"] });
    expect(await refusalOf(await api(secret, method, path))).toBe("permission_denied");
  });

  it("rejects an admin's revoked key", async () => {
    const { id, secret } = await newKey(await newUser(["admin"]));
    await runBatch(env.DB, revokeKey(id, Date.now()));
    expect(await refusalOf(await api(secret, method, path))).toBe("unauthenticated");
  });

  it("rejects an admin's cookie alone", async () => {
    const browser = await signedIn(await keyOf(["admin"]));
    expect(await refusalOf(await browser.request(`/admin/api${path}`, { method }))).toBe("unauthenticated");
  });
});

describe("users", () => {
  it("are added, listed, given roles, disabled and enabled", async () => {
    const admin = await keyOf(["admin"]);
    const user = validUser();
    expect((await api(admin, "POST", "/users", user)).status).toBe(201);
    expect(await userOf(admin, user.id)).toEqual({ id: user.id, roles: "shopper", disabled_at: null });
    const { secret } = await newKey(user.id);
    expect(await statusOf(secret)).toBe(200);

    expect(
      (await api(admin, "PUT", `/users/${user.id}/roles`, { roles: ["support", "inventory"] })).status,
    ).toBe(200);
    expect((await userOf(admin, user.id))?.roles?.split(", ").toSorted()).toEqual(["inventory", "support"]);

    expect((await api(admin, "POST", `/users/${user.id}/disable`)).status).toBe(200);
    expect((await userOf(admin, user.id))?.disabled_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/);
    expect(await statusOf(secret)).toBe(401);

    expect((await api(admin, "POST", `/users/${user.id}/enable`)).status).toBe(200);
    expect((await userOf(admin, user.id))?.disabled_at).toBeNull();
    expect(await statusOf(secret)).toBe(200);
  });

  it("are added once", async () => {
    const admin = await keyOf(["admin"]);
    const user = validUser();
    await api(admin, "POST", "/users", user);
    expect(await refusalOf(await api(admin, "POST", "/users", { ...user, roles: ["admin"] }))).toBe(
      "conflict",
    );
    expect((await userOf(admin, user.id))?.roles).toBe("shopper");
  });

  it("are added once, however many requests arrive at the same time", async () => {
    const admin = await keyOf(["admin"]);
    const user = validUser();
    const added = await Promise.all([1, 2, 3, 4].map(() => api(admin, "POST", "/users", user)));
    expect(added.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
  });

  it.each([
    { why: "no id", change: { id: undefined } },
    { why: "an id with a colon", change: { id: "a:b" } },
    { why: "an id of 65 characters", change: { id: "a".repeat(65) } },
    { why: "no name", change: { name: undefined } },
    { why: "a blank name", change: { name: "  " } },
    { why: "no roles", change: { roles: [] } },
    { why: "an unknown role", change: { roles: ["root"] } },
    { why: "the anonymous role", change: { roles: ["anonymous"] } },
    { why: "a kind that users cannot have", change: { kind: "local" } },
    { why: "an unknown field", change: { is_admin: true } },
  ])("with $why are refused", async ({ change }) => {
    const admin = await keyOf(["admin"]);
    const user = { ...validUser(), ...change };
    expect(await refusalOf(await api(admin, "POST", "/users", user))).toBe("invalid_arguments");
    expect(await userOf(admin, String(user.id))).toBeUndefined();
  });

  it.each(["", "{", "[]", "7", "null"])("of the body %j are refused", async (body) => {
    const headers = { ...bearer(await keyOf(["admin"])), "content-type": "application/json" };
    for (const path of ["users", "keys"]) {
      const response = await send(`/admin/api/${path}`, { method: "POST", headers, body });
      expect(await refusalOf(response)).toBe("invalid_arguments");
    }
  });

  it.each([
    { method: "PUT", path: "/users/nobody/roles", body: { roles: ["shopper"] } },
    { method: "POST", path: "/users/nobody/disable", body: undefined },
    { method: "POST", path: "/users/nobody/enable", body: undefined },
    { method: "POST", path: "/keys", body: { user: "nobody", label: "x" } },
    { method: "POST", path: "/keys/key-nothing/revoke", body: undefined },
  ])("$method $path: not found", async ({ method, path, body }) => {
    expect(await refusalOf(await api(await keyOf(["admin"]), method, path, body))).toBe("not_found");
  });

  it.each([{ roles: [] }, { roles: ["root"] }, { roles: "admin" }, {}, { roles: ["shopper"], extra: 1 }])(
    "cannot be given roles by %j",
    async (body) => {
      const admin = await keyOf(["admin"]);
      const user = await newUser(["support"]);
      expect(await refusalOf(await api(admin, "PUT", `/users/${user}/roles`, body))).toBe(
        "invalid_arguments",
      );
      expect((await userOf(admin, user))?.roles).toBe("support");
    },
  );
});

describe("keys", () => {
  it("are shown once, work, and are revoked", async () => {
    const admin = await keyOf(["admin"]);
    const user = await newUser(["support"]);
    const response = await api(admin, "POST", "/keys", { user, label: "a laptop", expires_in_days: 30 });
    expect(response.status).toBe(201);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const made = createdSchema.parse(await response.json());
    expect(Date.parse(made.expires_at ?? "") - Date.now()).toBeGreaterThan(29 * 24 * 60 * 60_000);
    expect(await statusOf(made.key)).toBe(200);

    const listed = await (await api(admin, "GET", `/keys?user=${user}`)).text();
    expect(keysSchema.parse(JSON.parse(listed)).keys).toMatchObject([
      { id: made.id, user, label: "a laptop", revoked_at: null },
    ]);
    expect(listed).not.toContain(made.key.slice(4, 20));
    expect(listed).not.toContain("hash");

    expect((await api(admin, "POST", `/keys/${made.id}/revoke`)).status).toBe(200);
    expect(await statusOf(made.key)).toBe(401);
    const after = keysSchema.parse(await (await api(admin, "GET", `/keys?user=${user}`)).json());
    expect(after.keys[0]?.["revoked_at"]).toMatch(/^\d{4}-/);
  });

  it("are listed for one user or for all", async () => {
    const admin = await keyOf(["admin"]);
    const [one, other] = [await newUser(), await newUser()];
    const ids = [(await newKey(one)).id, (await newKey(other)).id];
    const all = keysSchema.parse(await (await api(admin, "GET", "/keys")).json()).keys.map(({ id }) => id);
    expect(all).toEqual(expect.arrayContaining(ids));
    const ofOne = keysSchema.parse(await (await api(admin, "GET", `/keys?user=${one}`)).json()).keys;
    expect(ofOne.map(({ id }) => id)).toEqual(ids.slice(0, 1));
  });

  it.each([
    { why: "no label", change: { label: undefined } },
    { why: "no user", change: { user: undefined } },
    { why: "an empty list of roles", change: { roles: [] } },
    { why: "an unknown role", change: { roles: ["root"] } },
    { why: "0 days", change: { expires_in_days: 0 } },
    { why: "half a day", change: { expires_in_days: 0.5 } },
    { why: "more than ten years", change: { expires_in_days: 3_651 } },
    { why: "a secret from the client", change: { secret: "pcm_x" } },
    { why: "an unknown rule of signatures", change: { signature: "sometimes" } },
  ])("with $why are refused", async ({ change }) => {
    const admin = await keyOf(["admin"]);
    const user = await newUser();
    const body = { user, label: "x", ...change };
    expect(await refusalOf(await api(admin, "POST", "/keys", body))).toBe("invalid_arguments");
    const { keys } = keysSchema.parse(await (await api(admin, "GET", `/keys?user=${user}`)).json());
    expect(keys).toEqual([]);
  });
});

const errorSchema = z.object({ error: z.string() });

it.each([["admin"], ["support", "admin"], ["shopper", "admin"]])(
  "a key narrowed to %j is refused to a user who lacks some of these, and the refusal lists theirs",
  async (...roles) => {
    const admin = await keyOf(["admin"]);
    const user = await newUser(["shopper", "support"]);
    const response = await api(admin, "POST", "/keys", { user, label: "x", roles });
    expect(await refusalOf(response.clone())).toBe("invalid_arguments");
    expect(errorSchema.parse(await response.json()).error).toContain("shopper, support");
    const { keys } = keysSchema.parse(await (await api(admin, "GET", `/keys?user=${user}`)).json());
    expect(keys).toEqual([]);
  },
);

it.each([
  ["/keys", {}],
  ["/signing-keys", { algorithm: "hmac-sha256" }],
])("%s refuses to make one for a disabled user", async (path, more) => {
  const admin = await keyOf(["admin"]);
  const user = await newUser();
  await api(admin, "POST", `/users/${user}/disable`);
  const body = { user, label: "x", ...more };
  expect(await refusalOf(await api(admin, "POST", path, body))).toBe("conflict");
  await api(admin, "POST", `/users/${user}/enable`);
  expect((await api(admin, "POST", path, body)).status).toBe(201);
});

describe("signing keys", () => {
  const createdKey = z.strictObject({
    id: z.string().regex(/^sign-[0-9a-f]{12}$/),
    secret: z.string().optional(),
    expires_at: z.string().nullable(),
  });
  const listed = z.object({ signing_keys: z.array(z.looseObject({ id: z.string() })) });
  const X = "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs";
  const jwk = { kty: "OKP", crv: "Ed25519", x: X };
  const list = async (admin: string, user: string) =>
    listed.parse(await (await api(admin, "GET", `/signing-keys?user=${user}`)).json()).signing_keys;

  it("for HMAC are made with a secret that is shown once, listed without it, and revoked", async () => {
    const admin = await keyOf(["admin"]);
    const user = await newUser();
    const body = { user, label: "nightly", algorithm: "hmac-sha256", expires_in_days: 30 };
    const response = await api(admin, "POST", "/signing-keys", body);
    expect(response.status).toBe(201);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const { id, secret = "", expires_at } = createdKey.parse(await response.json());
    expect(secret).toMatch(/^pcs_[A-Za-z0-9_-]{43}$/);
    expect(Date.parse(expires_at ?? "") - Date.now()).toBeGreaterThan(29 * 24 * 60 * 60_000);

    expect(await list(admin, user)).toEqual([
      {
        id,
        user,
        label: "nightly",
        algorithm: "hmac-sha256",
        public_key: null,
        created_at: expect.stringMatching(/Z$/),
        expires_at: expect.stringMatching(/Z$/),
        last_used_at: null,
        revoked_at: null,
      },
    ]);
    const row = await env.DB.prepare("SELECT * FROM signing_keys WHERE id = ?").bind(id).first();
    expect(JSON.stringify(row)).not.toContain(secret.slice(4));

    expect((await api(admin, "POST", `/signing-keys/${id}/revoke`)).status).toBe(200);
    expect((await list(admin, user))[0]?.["revoked_at"]).toMatch(/^\d{4}-/);
    expect(await refusalOf(await api(admin, "POST", "/signing-keys/sign-0/revoke"))).toBe("not_found");
  });

  it.each([
    ["base64url", X],
    ["a JWK", jwk],
  ])("for Ed25519 take a public key as %s, and store no secret", async (_, public_key) => {
    const admin = await keyOf(["admin"]);
    const user = await newUser();
    const body = { user, label: "x", algorithm: "ed25519", public_key };
    const made = createdKey.parse(await (await api(admin, "POST", "/signing-keys", body)).json());
    expect(made.secret).toBeUndefined();
    expect(await list(admin, user)).toMatchObject([{ id: made.id, public_key: X }]);
  });

  it.each([
    { why: "no algorithm", change: { algorithm: undefined } },
    { why: "another algorithm", change: { algorithm: "rsa-pss-sha512" } },
    { why: "no public key", change: { public_key: undefined } },
    { why: "a public key that is too short", change: { public_key: X.slice(1) } },
    { why: "a JWK of another curve", change: { public_key: { ...jwk, crv: "X25519" } } },
    { why: "a JWK of a private key", change: { public_key: { ...jwk, d: X } } },
    { why: "a public key for HMAC", change: { algorithm: "hmac-sha256" } },
    { why: "a secret from the client", change: { secret: "pcs_x" } },
    { why: "no label", change: { label: "" } },
    { why: "0 days", change: { expires_in_days: 0 } },
  ])("with $why are refused", async ({ change }) => {
    const admin = await keyOf(["admin"]);
    const user = await newUser();
    const body = { user, label: "x", algorithm: "ed25519", public_key: X, ...change };
    expect(await refusalOf(await api(admin, "POST", "/signing-keys", body))).toBe("invalid_arguments");
    expect(await list(admin, user)).toEqual([]);
  });

  it("need an existing user", async () => {
    const body = { user: "nobody", label: "x", algorithm: "hmac-sha256" };
    expect(await refusalOf(await api(await keyOf(["admin"]), "POST", "/signing-keys", body))).toBe(
      "not_found",
    );
  });
});

describe("bootstrap", () => {
  it("makes the first admin, and fails as a whole the second time", async () => {
    const admin = await keyOf(["admin"]);
    const first = bootstrapAdmin(newName(), Date.now());
    await runBatch(env.DB, first.statements);
    expect((await api(first.secret, "GET", "/users")).status).toBe(200);

    const name = newName();
    const second = bootstrapAdmin(name, Date.now());
    await expect(runBatch(env.DB, second.statements)).rejects.toThrow(/UNIQUE constraint failed: bootstrap/);
    expect(await refusalOf(await api(second.secret, "GET", "/users"))).toBe("unauthenticated");
    expect(await userOf(admin, name)).toBeUndefined();
    expect((await api(first.secret, "GET", "/users")).status).toBe(200);
  });
});
