import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { runBatch } from "../../../src/database/run-batch.ts";
import { bootstrapAdmin } from "../../../src/identity/administration.ts";
import { BOOTSTRAP, NEW_CALLERS, SIGN_ON } from "../../../src/identity/lineage.ts";
import { setRecoveryCode, newRecoveryCode } from "../../../src/identity/recovery-code.ts";
import { CallerDO } from "../../../src/caller/caller-do.ts";
import { api } from "../identity/support/admin-api.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { recordsOf } from "../support/caller.ts";
import { ask, deskSample, fillDesk } from "../support/desk.ts";
import { withoutPace } from "../support/pace.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Together they read 18 people an hour and 144 a day; one caller may read 12 and 30. */
const STAFF = 6;
const A_DAY = 24;
const [, pattern] = deskSample.customers;

beforeAll(async () => {
  if (pattern === undefined) throw new Error("no customer");
  const customers = Array.from({ length: STAFF * A_DAY }, (_, index) => ({
    ...pattern,
    id: 20_000 + index * 40,
    email: `p${index}@example.com`,
    phone: phoneOf(index),
  }));
  await fillDesk({ ...deskSample, customers: [...deskSample.customers, ...customers] });
});
withoutPace();
// Each test has days of its own, because all new callers share one budget.
let today = 1_800_000_000_000;
beforeEach(() => {
  today += 30 * DAY_MS;
  vi.useFakeTimers({ toFake: ["Date"], now: today });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

let next = 0;
const phoneOf = (index: number) => `+49 30 ${5_550_000 + index}`;
/** Returns the phone number of a person who was not read yet; people who are found by it count only as people. */
const nextPerson = () => phoneOf(next++ % (STAFF * A_DAY));
const madeKey = z.object({ key: z.string() });

/** Creates a support agent by the admin's API; returns the agent's headers. */
async function hire(admin: string, id: string, roles = ["support"], more: object = {}) {
  const made = await api(admin, "POST", "/users", { id, name: id, roles, ...more });
  expect(made.status).toBe(201);
  const key = await api(admin, "POST", "/keys", { user: id, label: "x", ...more });
  const secret = madeKey.parse(await key.json()).key;
  return { secret, as: { authorization: `Bearer ${secret}` } };
}

/** Reads `count` different people. Returns how many were answered, and the code of the first refusal. */
async function readPeople(as: Record<string, string>, count: number) {
  let answered = 0;
  for (let index = 0; index < count; index++) {
    const { value, refusal } = await ask(as, "search_customers", { phone: nextPerson() });
    if (value === undefined) return { answered, code: z.object({ code: z.string() }).parse(refusal).code };
    answered += 1;
  }
  return { answered, code: undefined };
}

const admin = async () => {
  const id = await newUser(["admin"]);
  return { id, secret: (await newKey(id)).secret };
};

describe("one stolen admin key", () => {
  it("creates many accounts that together read no more people than one caller may", async () => {
    const { id, secret } = await admin();
    let read = 0;
    for (let index = 0; index < 6; index++) {
      const { as } = await hire(secret, `${id}-puppet-${index}`);
      read += (await readPeople(as, 7)).answered;
    }
    expect(read).toBe(7);
    // The maker's own reads use the same budget.
    const own = await readPeople({ authorization: `Bearer ${secret}` }, 1);
    expect(own).toEqual({ answered: 0, code: "confirmation_required" });
  }, 60_000);

  it("creates admins whose accounts share its budget too", async () => {
    const { id, secret } = await admin();
    const second = await hire(secret, `${id}-b`, ["admin"]);
    const readers = await Promise.all(
      [secret, second.secret].map((by, index) => hire(by, `${id}-reader-${index}`)),
    );
    const results = await Promise.all(readers.map(({ as }) => readPeople(as, 7)));
    expect(results.reduce((sum, { answered }) => sum + answered, 0)).toBe(7);
  }, 60_000);

  it("creates keys of old users that share its budget", async () => {
    const { secret } = await admin();
    const users = await Promise.all(Array.from({ length: 3 }, () => newUser(["support"])));
    let read = 0;
    for (const user of users) {
      const { key } = madeKey.parse(await (await api(secret, "POST", "/keys", { user, label: "x" })).json());
      read += (await readPeople({ authorization: `Bearer ${key}` }, 7)).answered;
    }
    expect(read).toBe(7);
  }, 60_000);

  it("is slowed down at sixty changes, and can still revoke", async () => {
    const { id, secret } = await admin();
    const statuses = [];
    for (let index = 0; index < 62; index++) {
      const body = { id: `${id}-flood-${index}`, name: "x", roles: ["shopper"] };
      statuses.push((await api(secret, "POST", "/users", body)).status);
    }
    expect(statuses.filter((status) => status === 201)).toHaveLength(60);
    expect(statuses.at(-1)).toBe(429);
    expect((await api(secret, "POST", `/users/${id}-flood-0/disable`)).status).toBe(200);
    const rules = async () =>
      (await env.DB.prepare("SELECT rule FROM incidents WHERE principal = ?").bind(id).all()).results;
    await vi.waitFor(async () => expect(await rules()).toEqual([{ rule: "admin-writes" }]));
    const made = (await recordsOf(env.USER_WINDOWS.getByName(id))).filter(
      (record) => record.kind === "attempt" && record.name === "admin.users.add",
    );
    // Sixty that were made, and the first that was refused.
    expect(made).toHaveLength(61);
  }, 60_000);
});

describe("a young caller", () => {
  it("has its calls in its own audit, and their counts in its creator's", async () => {
    const { id, secret } = await admin();
    const { as } = await hire(secret, `${id}-agent`);
    await readPeople(as, 7);
    const own = await recordsOf(env.USER_WINDOWS.getByName(`${id}-agent`));
    const outcomes = own.flatMap((record) => (record.kind === "outcome" ? [record.outcome] : []));
    expect(outcomes).toHaveLength(7);
    const shared = (await recordsOf(env.USER_WINDOWS.getByName(id))).filter(
      (record) => record.kind === "attempt" && record.arguments === JSON.stringify({ made: `${id}-agent` }),
    );
    expect(shared.length).toBe(7);
    expect(shared).toMatchObject(shared.map(() => ({ weight: 0 })));
  });

  it("reads products but no people while its creator's object is unreachable", async () => {
    const { id, secret } = await admin();
    const { as } = await hire(secret, `${id}-agent`);
    vi.spyOn(CallerDO.prototype, "share").mockImplementation(() => {
      throw new Error("out of order");
    });
    expect(await readPeople(as, 1)).toEqual({ answered: 0, code: "unavailable" });
    expect((await ask(as, "list_categories", {})).value).toBeDefined();
  });

  it("has its own budget after a week", async () => {
    const { id, secret } = await admin();
    const first = await hire(secret, `${id}-one`);
    const second = await hire(secret, `${id}-two`);
    vi.setSystemTime(Date.now() + 7 * DAY_MS + 1);
    expect((await readPeople(first.as, 7)).answered).toBe(7);
    expect((await readPeople(second.as, 7)).answered).toBe(7);
  });

  it("has its own budget after vouching with the recovery code, but not with a wrong code", async () => {
    const { id, secret } = await admin();
    const { code, hash } = newRecoveryCode();
    await runBatch(env.DB, [setRecoveryCode(hash, Date.now())]);
    const wrong = { id: `${id}-x`, name: "x", roles: ["support"], recovery_code: newRecoveryCode().code };
    expect((await api(secret, "POST", "/users", wrong)).status).toBe(400);
    for (const name of ["one", "two"]) {
      const { as } = await hire(secret, `${id}-${name}`, ["support"], { recovery_code: code.toUpperCase() });
      expect((await readPeople(as, 7)).answered).toBe(7);
    }
  });
});

describe("new callers", () => {
  /** Makes an account of a new server's first day, or of another origin, with the maker's budget not shared. */
  async function account(made: { by?: string; apart?: string | null } = {}, roles = ["support"], more = {}) {
    const id = await newUser(roles, more);
    const { by = "founder", apart = "founding" } = made;
    await env.DB.prepare("UPDATE users SET created_by = ?, created_at = ?, apart = ? WHERE id = ?")
      .bind(by, Date.now(), apart, id)
      .run();
    return { authorization: `Bearer ${(await newKey(id)).secret}` };
  }

  it("read no more than thirty people in ten minutes together, however many and parallel they are", async () => {
    const accounts = await Promise.all(Array.from({ length: 20 }, () => account()));
    const results = await Promise.all(accounts.map((as) => readPeople(as, 5)));
    expect(results.reduce((sum, { answered }) => sum + answered, 0)).toBe(30);
    const codes = results.flatMap(({ code }) => (code === undefined ? [] : [code]));
    expect([...new Set(codes)]).toEqual(["confirmation_required"]);
    const { results: rules } = await env.DB.prepare("SELECT DISTINCT rule FROM incidents WHERE principal = ?")
      .bind(NEW_CALLERS)
      .all();
    expect(rules).toEqual([{ rule: "new-callers" }]);
  }, 120_000);

  it("are not those who sign in at the provider, whom somebody vouched for, or who read their own data", async () => {
    const [own] = deskSample.customers;
    const customer_id = `C-${own?.id}`;
    const known = await Promise.all([
      account({ apart: "vouched" }),
      account({ by: SIGN_ON, apart: null }),
      account({ by: BOOTSTRAP, apart: null }),
    ]);
    const customer = await account({}, ["customer"], { customer_id });
    const share = vi.spyOn(CallerDO.prototype, "share");
    for (const as of known) expect(await readPeople(as, 1)).toEqual({ answered: 1, code: undefined });
    expect((await ask(customer, "get_customer", { customer_id })).value).toBeDefined();
    expect(share).not.toHaveBeenCalled();
    expect((await readPeople(await account(), 1)).answered).toBe(1);
    expect(share).toHaveBeenCalledTimes(1);
  }, 60_000);

  it("read products but no people while their object is unreachable", async () => {
    const as = await account();
    vi.spyOn(CallerDO.prototype, "share").mockImplementation(() => {
      throw new Error("out of order");
    });
    expect(await readPeople(as, 1)).toEqual({ answered: 0, code: "unavailable" });
    expect((await ask(as, "list_categories", {})).value).toBeDefined();
  });
});

it("does not disturb a company whose first admin creates all users on the first day", async () => {
  await env.DB.prepare("DELETE FROM bootstrap").run();
  const { secret, statements } = bootstrapAdmin("founder", Date.now());
  await runBatch(env.DB, statements);
  const staff = [];
  for (let index = 0; index < STAFF; index++) {
    staff.push(await hire(secret, `support-${index}`));
    vi.setSystemTime(Date.now() + 30_000);
  }
  const refused = [];
  for (let hour = 0; hour < 8; hour++) {
    for (const { as } of staff) {
      const { code } = await readPeople(as, A_DAY / 8);
      if (code !== undefined) refused.push(code);
    }
    vi.setSystemTime(Date.now() + 60 * 60_000);
  }
  expect(refused).toEqual([]);
  // A day later the server is established: a new user now shares the maker's budget.
  vi.setSystemTime(Date.now() + DAY_MS);
  const late = [await hire(secret, "late-1"), await hire(secret, "late-2")];
  const answered = [];
  for (const { as } of late) answered.push((await readPeople(as, 7)).answered);
  expect(answered).toEqual([7, 0]);
}, 120_000);
