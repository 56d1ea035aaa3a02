import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { addUser, deleteUser } from "../../../src/identity/administration.ts";
import { anonymous } from "../../../src/identity/principal.ts";
import { hashAddress } from "../../../src/identity/secrets.ts";
import { runBatch } from "../../../src/database/run-batch.ts";
import { claimServer } from "../../../src/web/setup/claim.ts";
import { CODE_MS, GUESSES_MAX, LOG_PAUSE_MS } from "../../../src/setup/server-setup.ts";
import { setupObject } from "../../../src/setup/setup-client.ts";
import { DEPLOYED, ORIGIN, bearer, form, send } from "../identity/support/deployed.ts";
import { breaks } from "../support/hanging.ts";

const START = Date.parse("2026-11-30T08:00:00Z");
const lineSchema = z.looseObject({ event: z.string(), setup_code: z.string().optional() });

let tests = 0;
/** Another one for each test, because each address has a budget of guesses. */
let address: string;
let isolate: object;
let logged: z.output<typeof lineSchema>[];
let answers: string[];

/** Returns variables of an isolate that does not know yet whether the server has an admin. */
function newIsolate() {
  const DB: D1Database = {
    prepare: (sql) => env.DB.prepare(sql),
    batch: (statements) => env.DB.batch(statements),
    exec: (sql) => env.DB.exec(sql),
    withSession: (constraint) => env.DB.withSession(constraint),
    dump: () => env.DB.dump(),
  };
  return { ...DEPLOYED, DB };
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  tests += 1;
  address = `203.0.113.${tests}`;
  isolate = newIsolate();
  answers = [];
  logged = [];
  vi.spyOn(console, "info").mockImplementation(
    (line: string) => void logged.push(lineSchema.parse(JSON.parse(line))),
  );
  await forgetAdmins();
  await runInDurableObject(setupObject(env), (_, { storage }) => {
    for (const table of ["codes", "logged", "closed"]) storage.sql.exec(`DELETE FROM ${table}`);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Brings the database to the time before the first admin, as a restore does. */
async function forgetAdmins(): Promise<void> {
  for (const table of ["bootstrap", "user_roles", "past_roles", "sessions", "access_keys", "users"])
    await env.DB.prepare(`DELETE FROM ${table}`).run();
}

async function ask(path: string, init: RequestInit = {}, variables = isolate): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("cf-connecting-ip", address);
  headers.set("accept", "text/html");
  const response = await send(`${ORIGIN}${path}`, { ...init, headers }, variables);
  const copy = response.clone();
  answers.push(`${copy.url} ${JSON.stringify([...copy.headers])} ${await copy.text()}`);
  return response;
}

const post = (path: string, fields: Record<string, string> = {}, variables = isolate, origin = ORIGIN) =>
  ask(path, form(fields, { origin }), variables);

/** Has a code written to the log, and returns it. */
async function newCode(): Promise<string> {
  expect((await post("/setup/code")).status).toBe(200);
  return logged.findLast(({ event }) => event === "setup_code")?.setup_code ?? "none";
}

const admins = async () =>
  (await env.DB.prepare("SELECT user_id FROM user_roles WHERE role = 'admin'").all()).results.map(
    ({ user_id }) => user_id,
  );

describe("the setup of a new server", () => {
  it("makes the first admin for the code from the log, and signs in that browser", async () => {
    expect((await ask("/setup")).status).toBe(200);
    const code = await newCode();
    expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{5}-){3}[0-9a-hjkmnp-tv-z]{5}$/);
    const claimed = await post("/setup", { code: ` ${code.toUpperCase()} `, id: "maria" });
    expect(claimed.status).toBe(200);
    expect(claimed.headers.get("cache-control")).toBe("no-store");
    const page = await claimed.clone().text();
    const [key = ""] = /pcm_[\w-]+/.exec(page) ?? [];
    expect(page).toMatch(/<code>([0-9a-z]{5}-){5}[0-9a-z]{5}<\/code>/);

    const cookie = claimed.headers
      .getSetCookie()
      .map((line) => line.split(";")[0])
      .join("; ");
    expect((await ask("/admin", { headers: { cookie } })).status).toBe(200);
    const users = await send("/admin/api/users", { headers: bearer(key) }, isolate);
    expect(await users.json()).toMatchObject({ users: [{ id: "maria", roles: "admin" }] });
    expect(logged.filter(({ event }) => event === "setup_done")).toHaveLength(1);
  });

  it("is over after that, for the same code and for everybody", async () => {
    const code = await newCode();
    expect((await post("/setup", { code, id: "maria" })).status).toBe(200);
    for (const variables of [isolate, newIsolate()]) {
      expect((await ask("/setup", {}, variables)).status).toBe(409);
      expect((await post("/setup", { code, id: "thief" }, variables)).status).toBe(409);
      expect((await post("/setup/code", {}, variables)).status).toBe(409);
    }
    expect(await admins()).toEqual(["maria"]);
  });

  it("makes one admin when ten browsers send the right code to ten isolates at once", async () => {
    const code = await newCode();
    const responses = await Promise.all(
      Array.from({ length: 10 }, (_, index) => post("/setup", { code, id: `admin-${index}` }, newIsolate())),
    );
    const statuses = responses.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    expect(await admins()).toHaveLength(1);
    expect((await env.DB.prepare("SELECT count(*) AS n FROM users").first())?.["n"]).toBe(1);
  });

  it("keeps the code out of every answer, the database and the address's audit", async () => {
    const code = await newCode();
    await post("/setup", { code: "wrong", id: "x" });
    await post("/setup", { code, id: "no spaces allowed" });
    await post("/setup", { code, id: "maria" });
    const letters = code.replaceAll("-", "");
    const dump: unknown[] = [];
    for (const table of ["users", "access_keys", "bootstrap", "recovery_code", "audit_anchors"])
      dump.push((await env.DB.prepare(`SELECT * FROM ${table}`).all()).results);
    const { id } = anonymous(hashAddress(address, DEPLOYED["SECRET_KEY"] ?? ""));
    for (const name of [`${id}-sign-in`, "maria"])
      await runInDurableObject(env.USER_WINDOWS.getByName(name), (_, { storage }) => {
        const tables = storage.sql.exec<{ name: string }>(
          "SELECT name FROM sqlite_master WHERE type = 'table'",
        );
        for (const table of tables.toArray())
          if (!table.name.startsWith("_cf_"))
            dump.push(storage.sql.exec(`SELECT * FROM "${table.name}"`).toArray());
      });
    const text = `${JSON.stringify(dump)} ${answers.join()}`;
    expect(text).toContain("maria");
    for (const secret of [code, letters]) expect(text).not.toContain(secret);
  });

  it("lets nobody in without the code", async () => {
    await newCode();
    for (const code of ["", "x", "00000-00000-00000-00000"]) {
      const refused = await post("/setup", { code, id: "thief" });
      expect(refused.status).toBe(403);
      expect(refused.headers.getSetCookie()).toEqual([]);
    }
    expect(await admins()).toEqual([]);
  });

  it("has no code before somebody asked for one", async () => {
    expect((await post("/setup", { code: "", id: "thief" })).status).toBe(403);
    expect(logged.filter(({ event }) => event === "setup_code")).toEqual([]);
  });

  it("keeps the code for another try if the id is invalid or taken", async () => {
    await runBatch(env.DB, addUser({ id: "ann", kind: "user", name: "Ann", roles: ["shopper"] }, START));
    const code = await newCode();
    expect((await post("/setup", { code, id: "anon-me" })).status).toBe(400);
    expect((await post("/setup", { code, id: "ann" })).status).toBe(400);
    expect(await admins()).toEqual([]);
    expect((await post("/setup", { code, id: "maria" })).status).toBe(200);
  });

  it("is linked from the sign-in page and the start page until it is over", async () => {
    const isLinked = async (path: string) => (await (await ask(path)).text()).includes('href="/setup"');
    expect([await isLinked("/sign-in"), await isLinked("/")]).toEqual([true, true]);
    const code = await newCode();
    await post("/setup", { code, id: "maria" });
    expect([await isLinked("/sign-in"), await isLinked("/")]).toEqual([false, false]);
  });
});

describe("a setup code", () => {
  it("is logged once, however many requests ask for it at once", async () => {
    await Promise.all(Array.from({ length: 30 }, () => post("/setup/code")));
    expect(logged.filter(({ event }) => event === "setup_code")).toHaveLength(1);
    vi.setSystemTime(START + LOG_PAUSE_MS);
    await post("/setup/code");
    expect(logged.filter(({ event }) => event === "setup_code")).toHaveLength(2);
  });

  it("can't be replaced by a stranger who asks for one while the operator types", async () => {
    const code = await newCode();
    for (let minutes = 1; minutes < CODE_MS / 60_000; minutes++) {
      vi.setSystemTime(START + minutes * 60_000);
      await post("/setup/code");
    }
    expect((await post("/setup", { code, id: "maria" })).status).toBe(200);
  });

  it("expires, and a new one is logged", async () => {
    const code = await newCode();
    vi.setSystemTime(START + CODE_MS);
    expect((await post("/setup", { code, id: "maria" })).status).toBe(403);
    const next = await newCode();
    expect(next).not.toBe(code);
    expect((await post("/setup", { code: next, id: "maria" })).status).toBe(200);
  });

  it("is void after too many wrong guesses, and a new one is logged", async () => {
    const code = await newCode();
    await runInDurableObject(setupObject(env), (_, { storage }) => {
      storage.sql.exec("UPDATE codes SET wrong = ?", GUESSES_MAX - 1);
    });
    await post("/setup", { code: "wrong", id: "maria" });
    expect((await post("/setup", { code, id: "maria" })).status).toBe(403);
    vi.setSystemTime(START + LOG_PAUSE_MS);
    expect((await post("/setup", { code: await newCode(), id: "maria" })).status).toBe(200);
  });

  it("can't be guessed quickly from one address", async () => {
    await newCode();
    const statuses = new Set<number>();
    for (let batch = 0; batch < 13; batch++)
      for (const { status } of await Promise.all(
        Array.from({ length: 10 }, () => post("/setup", { code: "wrong", id: "thief" })),
      ))
        statuses.add(status);
    expect(statuses).toEqual(new Set([403, 429]));
  });
});

describe("the setup page refuses", () => {
  it.each(["https://evil.example", "null", ""])("a form from the origin %j", async (origin) => {
    const code = await newCode();
    for (const path of ["/setup", "/setup/code"]) {
      const refused = await post(path, { code, id: "thief" }, isolate, origin);
      expect(refused.status).toBe(403);
    }
    const body = JSON.stringify({ code, id: "thief" });
    const headers = { "content-type": "application/json", origin };
    expect((await ask("/setup", { method: "POST", body, headers })).status).toBe(403);
    expect(await admins()).toEqual([]);
  });

  it("another host name, and http", async () => {
    const code = await newCode();
    const fields = form({ code, id: "thief" }, { origin: "https://evil.example" });
    expect((await send("https://evil.example/setup", fields, isolate)).status).toBe(403);
    const spoofed = form({ code, id: "thief" }, { origin: ORIGIN, host: "evil.example" });
    expect((await send("/setup", spoofed, isolate)).status).toBe(403);
    const plain = ORIGIN.replace("https", "http");
    expect(
      (await send(`${plain}/setup`, form({ code, id: "thief" }, { origin: plain }), isolate)).status,
    ).toBe(403);
    expect(await admins()).toEqual([]);
  });

  it("everybody after the only admin was deleted", async () => {
    const code = await newCode();
    await post("/setup", { code, id: "maria" });
    await runBatch(env.DB, deleteUser("maria", START + 1, "maria"));
    await env.DB.prepare("DELETE FROM bootstrap").run();
    expect((await ask("/setup", {}, newIsolate())).status).toBe(409);
  });

  it("everybody after the database was restored to before the setup", async () => {
    const code = await newCode();
    await post("/setup", { code, id: "maria" });
    await forgetAdmins();
    vi.setSystemTime(START + LOG_PAUSE_MS);
    const restored = newIsolate();
    expect((await post("/setup/code", {}, restored)).status).toBe(409);
    expect((await post("/setup", { code, id: "thief" }, restored)).status).toBe(409);
    expect(logged.filter(({ event }) => event === "setup_code")).toHaveLength(1);
    expect(await admins()).toEqual([]);
  });

  it("everybody once sign-on has made an admin, even if that happens meanwhile", async () => {
    const code = await newCode();
    await runBatch(env.DB, addUser({ id: "eve", kind: "user", name: "Eve", roles: ["admin"] }, START));
    expect(await claimServer({ ...env, ...newIsolate() }, "thief", START)).toEqual({
      ok: false,
      problem: "claimed",
    });
    expect((await post("/setup", { code, id: "thief" }, newIsolate())).status).toBe(409);
    expect(await admins()).toEqual(["eve"]);
  });

  it.each(["SERVER_SETUP", "DB"] as const)(
    "the claim while %s is out of reach, and loses nothing",
    async (binding) => {
      const code = await newCode();
      vi.spyOn(console, "error").mockImplementation(() => {});
      const restore = breaks(binding, "throws");
      expect((await post("/setup", { code, id: "maria" })).status).toBeGreaterThanOrEqual(500);
      restore();
      vi.restoreAllMocks();
      expect(await admins()).toEqual([]);
      expect((await post("/setup", { code, id: "maria" })).status).toBe(200);
    },
  );
});
