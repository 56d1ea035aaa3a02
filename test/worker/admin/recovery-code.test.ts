import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import * as z from "zod";
import { runBatch } from "../../../src/database/run-batch.ts";
import { bootstrapAdmin } from "../../../src/identity/administration.ts";
import { newRecoveryCode, setRecoveryCode } from "../../../src/identity/recovery-code.ts";
import { api } from "../identity/support/admin-api.ts";
import { Browser, signedIn } from "../identity/support/browser.ts";
import { ORIGIN } from "../identity/support/deployed.ts";
import { Issuer, signOn } from "../identity/support/issuer.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { decisionsOf, stop } from "./support.ts";

const suspectOf = (principal: string) => ({
  principal,
  object: env.USER_WINDOWS.getByName(principal),
});

/** Creates the first admin of a new server. */
async function firstAdmin(id: string) {
  await env.DB.prepare("DELETE FROM bootstrap").run();
  const { secret, recoveryCode, statements } = bootstrapAdmin(id, Date.now());
  await runBatch(env.DB, statements);
  return { id, secret, recoveryCode };
}

it("the only admin of a new server decides about its own work and accounts only with the printed code", async () => {
  const { id, secret, recoveryCode } = await firstAdmin("first");
  await api(secret, "POST", "/users", { id: "made-by-first", name: "x", roles: ["support"] });
  const browser = await signedIn(secret);
  for (const principal of [id, "made-by-first"]) {
    const caller = suspectOf(principal);
    const incident = await stop(caller, principal);
    const decide = async (code?: string) =>
      (
        await browser.post(`/confirm/${incident}`, {
          decision: "allow",
          ...(code !== undefined && { recovery_code: code }),
        })
      ).status;
    expect(await (await browser.request(`/confirm/${incident}`)).text()).toContain('name="recovery_code"');
    expect(await decide()).toBe(403);
    expect(await decide(newRecoveryCode().code)).toBe(403);
    expect(await decide(` ${recoveryCode.toUpperCase().replaceAll("-", " ")} `)).toBe(200);
    expect(await decisionsOf(caller)).toMatchObject([{ by: id, note: "With the recovery code." }]);
  }
}, 60_000);

it("the dashboard accepts the code for an incident and for a caller", async () => {
  const { id, secret, recoveryCode } = await firstAdmin("dashboard-first");
  const caller = suspectOf(id);
  const browser = await signedIn(secret);
  const incident = await stop(caller, "one");
  const path = `/admin/incidents/${incident}`;
  expect((await browser.post(path, { decision: "released" })).status).toBe(409);
  expect((await browser.post(path, { decision: "released", recovery_code: recoveryCode })).status).toBe(303);
  await stop(caller, "two");
  const release = `/admin/callers/${id}/release`;
  expect((await browser.post(release, {})).status).toBe(409);
  expect((await browser.post(release, { recovery_code: recoveryCode })).status).toBe(303);
});

it("a new code replaces the previous one; a code makes nobody an admin", async () => {
  const { id, secret, recoveryCode } = await firstAdmin("renewed");
  const { code, hash } = newRecoveryCode();
  await runBatch(env.DB, [setRecoveryCode(hash, Date.now())]);
  const incident = await stop(suspectOf(id), "renewed");
  const agent = await signedIn((await newKey(await newUser(["support"]))).secret);
  const body = { decision: "allow", recovery_code: code };
  expect((await agent.post(`/confirm/${incident}`, body)).status).toBe(403);
  const browser = await signedIn(secret);
  expect((await browser.post(`/confirm/${incident}`, { ...body, recovery_code: recoveryCode })).status).toBe(
    403,
  );
  expect((await browser.post(`/confirm/${incident}`, body)).status).toBe(200);
});

it("with a sign-in provider, only a person may decide, never a key", async () => {
  await env.DB.prepare("DELETE FROM recovery_code").run();
  const caller = suspectOf(await newUser(["support"]));
  const incident = await stop(caller, "provider");
  const issuer = new Issuer();
  issuer.listen();
  const { secret } = await newKey(await newUser(["admin"]));
  const withKey = new Browser(ORIGIN, issuer.settings);
  await withKey.post("/sign-in", { key: secret });
  expect((await withKey.post(`/confirm/${incident}`, { decision: "allow" })).status).toBe(403);
  const person = new Browser(ORIGIN, issuer.settings);
  await signOn(person, issuer, { sub: "decider", name: "D", groups: ["catalog-admin"] });
  expect((await person.post(`/confirm/${incident}`, { decision: "allow" })).status).toBe(200);
});

const row = (sql: string, ...values: string[]) =>
  env.DB.prepare(sql)
    .bind(...values)
    .first();

it("stores the creators of users, keys, roles and sessions", async () => {
  const admin = await newUser(["admin"]);
  const { secret } = await newKey(admin);
  const user = `kept-${crypto.randomUUID()}`;
  await api(secret, "POST", "/users", { id: user, name: "x", roles: ["support"] });
  const made = await api(secret, "POST", "/keys", { user, label: "x" });
  const { id, key } = z.object({ id: z.string(), key: z.string() }).parse(await made.json());
  await signedIn(key);
  expect(await row("SELECT created_by FROM users WHERE id = ?", user)).toEqual({ created_by: admin });
  expect(await row("SELECT created_by FROM access_keys WHERE id = ?", id)).toEqual({ created_by: admin });
  expect(await row("SELECT created_by FROM sessions WHERE key_id = ?", id)).toEqual({ created_by: admin });

  const other = await newUser(["admin"]);
  const { secret: otherSecret } = await newKey(other);
  await api(otherSecret, "PUT", `/users/${user}/roles`, { roles: ["support", "inventory"] });
  await api(otherSecret, "PUT", `/users/${user}/roles`, { roles: ["inventory"] });
  // A kept role keeps its giver, and an ended role is not forgotten.
  expect(await row("SELECT role, created_by FROM user_roles WHERE user_id = ?", user)).toEqual({
    role: "inventory",
    created_by: other,
  });
  expect(await row("SELECT role, created_by, ended_by FROM past_roles WHERE user_id = ?", user)).toEqual({
    role: "support",
    created_by: admin,
    ended_by: other,
  });
  const bootstrapped = await firstAdmin("made-by-bootstrap");
  expect(await row("SELECT created_by FROM users WHERE id = ?", bootstrapped.id)).toEqual({
    created_by: "@bootstrap",
  });
});
