import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Settings, readSettings, signOnSettings } from "../../../src/env.ts";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import migrations from "../../../src/database/migrations.json" with { type: "json" };
import { userIdSchema } from "../../../src/identity/administration.ts";
import { ROLES } from "../../../src/identity/scopes.ts";
import { findSession } from "../../../src/identity/sessions.ts";
import { hashSecret } from "../../../src/identity/secrets.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { parsePolicy } from "../../../src/policy/schema.ts";
import { type SignOnPolicy, signOnSchema } from "../../../src/policy/sign-on.ts";
import { personOf, userIdOf } from "../../../src/identity/sign-on/person.ts";
import { newKey, newUser } from "./support/people.ts";

describe("the settings of single sign-on", () => {
  const ALL = {
    OIDC_ISSUER: "https://id.example",
    OIDC_CLIENT_ID: "catalog",
    OIDC_CLIENT_SECRET: "PLANTED-secret",
  };
  const read = (settings: Record<string, string | undefined>) => {
    const given = {
      ...env,
      OIDC_ISSUER: undefined,
      OIDC_CLIENT_ID: undefined,
      OIDC_CLIENT_SECRET: undefined,
    };
    return readSettings({ ...given, ...settings });
  };
  const settingsOf = (settings: Record<string, string | undefined>): Settings => {
    const parsed = read(settings);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.settings;
  };
  const problemOf = (settings: Record<string, string | undefined>): string => {
    const parsed = read(settings);
    return parsed.ok ? "" : JSON.stringify(parsed.problems);
  };

  it("are complete or absent", () => {
    expect(signOnSettings(settingsOf(ALL))).toEqual({
      issuer: "https://id.example",
      clientId: "catalog",
      clientSecret: "PLANTED-secret",
    });
    expect(signOnSettings(settingsOf({}))).toBeUndefined();
    expect(
      signOnSettings(settingsOf({ OIDC_ISSUER: "", OIDC_CLIENT_ID: "", OIDC_CLIENT_SECRET: "" })),
    ).toBeUndefined();
  });

  const names = ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"] as const;
  const some = [1, 2, 3, 4, 5, 6].map((bits) => names.filter((_, index) => (bits >> index) % 2 === 1));
  it.each(some.map((given) => ({ given })))(
    "$given alone is an error that names what is missing",
    ({ given }) => {
      const partial = Object.fromEntries(given.map((name) => [name, ALL[name]]));
      const problem = problemOf(partial);
      const named = [...problem.matchAll(/"setting":"(OIDC_\w+)"/g)].map(([, name]) => name);
      expect(new Set(named)).toEqual(new Set(names.filter((name) => !given.includes(name))));
      expect(problem).toContain("is missing");
      expect(problem).not.toContain("PLANTED");
    },
  );

  it.each([
    "http://id.example",
    "http://127.0.0.1.evil.example",
    "ftp://id.example",
    "id.example",
    "https://id.example?tenant=x",
    "https://id.example#x",
    "https://user@id.example",
  ])("%s is not an issuer", (OIDC_ISSUER) => {
    expect(problemOf({ ...ALL, OIDC_ISSUER })).toContain("OIDC_ISSUER");
  });

  it.each([
    "https://id.example",
    "https://id.example/",
    "https://id.example/tenant/v2.0",
    "http://127.0.0.1:8080",
    "http://localhost:8080/realm",
    "http://[::1]:8080",
  ])("%s is an issuer", (OIDC_ISSUER) => {
    expect(problemOf({ ...ALL, OIDC_ISSUER })).toBe("");
  });
});

const policy = (changes: Partial<SignOnPolicy> = {}) =>
  signOnSchema.parse({
    roles_claim: "groups",
    mapping: { staff: ["support", "inventory"], boss: ["admin", "support"] },
    default_role: null,
    ...changes,
  });
const person = (claims: Record<string, unknown>, changes?: Partial<SignOnPolicy>) =>
  personOf({ iss: "https://id.example", sub: "s", ...claims }, policy(changes));

/** Parsed windows are numbers, so the policy goes in without rules. */
const WHOLE = { ...policyInForce(), rules: [] };

describe("a person's roles", () => {
  it.each([
    { groups: ["staff"], roles: ["support", "inventory"] },
    { groups: "staff", roles: ["support", "inventory"] },
    { groups: ["staff", "boss", "staff"], roles: ["support", "inventory", "admin"] },
    { groups: ["Staff", " staff", "staff ", "staf"], roles: [] },
    { groups: ["constructor", "__proto__", "toString", "hasOwnProperty"], roles: [] },
    { groups: [["staff"], { staff: true }, 1, null, true], roles: [] },
    { groups: { staff: true }, roles: [] },
    { groups: undefined, roles: [] },
    { groups: null, roles: [] },
    { groups: "staff,boss", roles: [] },
  ])("of the groups $groups are $roles", ({ groups, roles }) => {
    expect(person({ groups }).roles).toEqual(roles);
    expect(person({ groups }, { default_role: "shopper" }).roles).toEqual(
      roles.length === 0 ? ["shopper"] : roles,
    );
  });

  it("only come from the mapping, whatever the claim says", () => {
    const mapped = new Set(["support", "inventory", "admin"]);
    fc.assert(
      fc.property(fc.anything(), (groups) => {
        expect(person({ groups }).roles.filter((role) => !mapped.has(role))).toEqual([]);
      }),
    );
  });

  it("must exist in the policy, and not be the anonymous role", () => {
    for (const role of ["root", "anonymous"]) {
      const whole = (changes: object) => ({ ...WHOLE, sign_on: { ...policy(), ...changes } });
      expect(parsePolicy(whole({ default_role: role }))).toMatchObject({
        problems: [{ path: "sign_on.default_role" }],
      });
      expect(parsePolicy(whole({ mapping: { g: [role] } }))).toMatchObject({
        problems: [{ path: "sign_on.mapping.g" }],
      });
    }
    expect(ROLES).toContain("shopper");
    expect(signOnSchema.safeParse({ ...policy(), scope: "profile" }).success).toBe(false);
  });
});

describe("a person's name", () => {
  it.each([
    { claims: { name: "Ada", preferred_username: "ada", email: "a@b.c" }, name: "Ada" },
    { claims: { name: " \u202e ", preferred_username: "ada" }, name: "ada" },
    { claims: { name: 7, email: "a@b.c" }, name: "a@b.c" },
    { claims: {}, name: "No name" },
    { claims: { name: "A\u202e\u001b[31mda\nLovelace" }, name: "Ada Lovelace" },
    { claims: { name: "x".repeat(300) }, name: `${"x".repeat(199)}…` },
  ])("of $claims is $name", ({ claims, name }) => {
    expect(person(claims).name).toBe(name);
  });
});

describe("a person's customer", () => {
  it.each([
    { claim: "cust-1", id: "cust-1" },
    { claim: undefined, id: null },
    { claim: 7, id: null },
    { claim: "", id: null },
    { claim: "x".repeat(65), id: null },
  ])("of the claim $claim is $id", ({ claim, id }) => {
    expect(person({ shop: claim }, { customer_id_claim: "shop" }).customerId).toBe(id);
  });

  it("is left to the admin API if the policy names no claim", () => {
    expect(person({ shop: "cust-1" }).customerId).toBeUndefined();
  });
});

it("a user's id is valid, and differs for every issuer and subject", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (issuer, subject, other) => {
      const id = userIdOf({ issuer, subject });
      expect(userIdSchema.safeParse(id).success).toBe(true);
      expect(userIdOf({ issuer, subject })).toBe(id);
      expect(userIdOf({ issuer: issuer + other, subject }) === id).toBe(other === "");
      expect(userIdOf({ issuer, subject: subject + other }) === id).toBe(other === "");
    }),
  );
  expect(userIdOf({ issuer: "ab", subject: "c" })).not.toBe(userIdOf({ issuer: "a", subject: "bc" }));
});

it("sessions that were open before single sign-on was set up stay open", async () => {
  await ensureMigrated(env.DB);
  const { id } = await newKey(await newUser());
  const statements = (name: string) => migrations.find((each) => each.name === name)?.statements ?? [];
  // The table as migration 0004 made it, with a row in it.
  const before = statements("0004_identity.sql").filter((sql) => /(TABLE|INDEX) sessions/.test(sql));
  const after = statements("0008_sign_on.sql").filter((sql) => /sessions/.test(sql));
  expect(before).toHaveLength(2);
  await env.DB.batch(["DROP TABLE sessions", ...before].map((sql) => env.DB.prepare(sql)));
  const now = Date.now();
  await env.DB.prepare("INSERT INTO sessions SELECT ?, user_id, id, ?, ? FROM access_keys WHERE id = ?")
    .bind(hashSecret("cookie"), now, now + 60_000, id)
    .run();
  await env.DB.batch(after.map((sql) => env.DB.prepare(sql)));
  expect(await findSession(env.DB, "cookie", now)).toMatchObject({
    credential: { keyId: id },
    signedInAt: now,
    interactive: false,
  });
  const both = env.DB.prepare(
    "INSERT INTO sessions (hash, user_id, key_id, identity_id, created_at, expires_at) SELECT 'x', user_id, ?1, ?2, 0, 0 FROM access_keys WHERE id = ?3",
  );
  await expect(both.bind(null, null, id).run()).rejects.toThrow(/CHECK/);
});
