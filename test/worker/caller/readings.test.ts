import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { dropReadings } from "../../../src/caller/audit/readings.ts";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { SHARED } from "../../../src/detection/event.ts";
import { api } from "../identity/support/admin-api.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { DAY_MS, admission, newObject, settlement } from "../support/admission.ts";
import { recordsOf } from "../support/caller.ts";

const NOON = Math.floor(1_800_000_000_000 / DAY_MS) * DAY_MS + DAY_MS / 2;

beforeEach(async () => {
  await ensureMigrated(env.DB);
  vi.useFakeTimers({ toFake: ["Date"], now: NOON });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

let people = 0;
/** Returns a customer's id that no other test uses, and its token. */
async function newCustomer() {
  const id = `C-${7_000_000 + people++}`;
  const { secret } = await newKey(await newUser(["admin"]));
  const answer = await (await api(secret, "GET", `/audit/customers/${id}`)).json();
  return { id, token: z.object({ token: z.string() }).parse(answer).token };
}

type Caller = ReturnType<typeof newObject>;
interface Asked {
  name?: string;
  roles?: string[];
  classes?: ("identity" | "catalog")[];
  outcome?: string;
  missed?: boolean;
}

/** Makes one call that names a person. */
async function read({ principal, object }: Caller, token: string, asked: Asked = {}): Promise<void> {
  const { name = "get_customer", roles = ["support"], classes = ["identity"], outcome = "ok" } = asked;
  const flow = {
    classes,
    kinds: ["source" as const],
    cost: { records: 1, bytes: 100 },
    unnamed: { subject: false, objects: 0 },
    subjects: [token],
    objects: [],
    neighbourhoods: [],
  };
  const limit = { max: 1_000, windowMs: 60_000 };
  const answer = await object.admit(admission(principal, { limit, attempt: { name, roles, flow } }));
  if (!answer.admitted) throw new Error("The call was refused.");
  const seen = { subjects: [], objects: [], missed: asked.missed === true, tainted: false, canary: false };
  await object.settle({ ...settlement(answer.seq), outcome, flow: seen });
}

/** Anchors a chain inside the object, where the failure stays. */
const fails = ({ object }: Caller) =>
  runInDurableObject(object, async (instance) => {
    await expect(instance.anchor()).rejects.toThrow("lost");
  });

const rowSchema = z.object({
  day: z.int(),
  principal: z.string(),
  call: z.string(),
  times: z.int(),
  first_at: z.int(),
  last_at: z.int(),
});
async function rowsOf(token: string) {
  const query = env.DB.prepare("SELECT * FROM readings WHERE subject = ? ORDER BY seq").bind(token);
  return z.array(rowSchema).parse((await query.all()).results);
}

describe("readings of a customer", () => {
  it("are folded by day, caller and call", async () => {
    const { token } = await newCustomer();
    const [ada, ben] = [newObject(), newObject()];
    await read(ada, token);
    vi.setSystemTime(NOON + 1_000);
    await read(ada, token);
    await read(ada, token, { name: "get_customer_orders" });
    await read(ben, token);
    await Promise.all([ada.object.anchor(), ben.object.anchor()]);
    vi.setSystemTime(NOON + DAY_MS);
    await read(ada, token);
    await ada.object.anchor();
    const day = Math.floor(NOON / DAY_MS);
    const get = { call: "get_customer", principal: ada.principal };
    const rows = await rowsOf(token);
    expect(rows).toHaveLength(4);
    expect(rows).toEqual(
      expect.arrayContaining([
        { ...get, day, times: 2, first_at: NOON, last_at: NOON + 1_000 },
        { ...get, call: "get_customer_orders", day, times: 1, first_at: NOON + 1_000, last_at: NOON + 1_000 },
        { ...get, principal: ben.principal, day, times: 1, first_at: NOON + 1_000, last_at: NOON + 1_000 },
        { ...get, day: day + 1, times: 1, first_at: NOON + DAY_MS, last_at: NOON + DAY_MS },
      ]),
    );
  });

  it("are only answers with people's data, in the chain of the caller who asked", async () => {
    const { token } = await newCustomer();
    const caller = newObject();
    await read(caller, token, { missed: true });
    await read(caller, token, { outcome: "timeout" });
    await read(caller, token, { classes: ["catalog"] });
    await read(caller, token, { roles: ["support", SHARED] });
    await caller.object.anchor();
    expect(await rowsOf(token)).toEqual([]);
    await read(caller, token);
    await caller.object.anchor();
    expect(await rowsOf(token)).toMatchObject([{ times: 1 }]);
  });

  it("count once when D1's answer is lost, and again when D1 had lost them", async () => {
    const { token } = await newCustomer();
    const caller = newObject();
    await read(caller, token);
    await caller.object.anchor();
    vi.spyOn(console, "error").mockImplementation(() => {});
    const batch = env.DB.batch.bind(env.DB);
    const lost = vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      await batch(statements);
      throw new Error("D1_ERROR: Network connection lost.");
    });
    await read(caller, token);
    await fails(caller);
    lost.mockRejectedValue(new Error("D1_ERROR: Network connection lost."));
    await read(caller, token);
    await fails(caller);
    lost.mockRestore();
    await caller.object.anchor();
    expect(await rowsOf(token)).toMatchObject([{ times: 3 }]);
  });

  it("count once when two anchors run side by side, and after an eviction between them", async () => {
    const { token } = await newCustomer();
    const caller = newObject();
    await read(caller, token);
    await Promise.all([caller.object.anchor(), read(caller, token).then(() => caller.object.anchor())]);
    await evictDurableObject(caller.object);
    await read(caller, token);
    await caller.object.anchor();
    expect(await rowsOf(token)).toMatchObject([{ times: 3 }]);
  });

  it("are dropped some rows at a time when their day is past", async () => {
    const { token } = await newCustomer();
    const caller = newObject();
    await read(caller, token);
    await caller.object.anchor();
    await dropReadings(env.DB, NOON);
    expect(await rowsOf(token)).toHaveLength(1);
    await dropReadings(env.DB, NOON + DAY_MS);
    expect(await rowsOf(token)).toEqual([]);
  });
});

describe("an admin", () => {
  const pageSchema = z.object({
    readings: z.array(rowSchema.omit({ day: true })),
    next: z.string().nullable(),
  });

  it("lists who read a customer, page by page", async () => {
    const { id, token } = await newCustomer();
    const { secret } = await newKey(await newUser(["admin"]));
    const callers = [newObject(), newObject(), newObject()];
    for (const caller of callers) {
      await read(caller, token);
      await caller.object.anchor();
    }
    const listed: string[] = [];
    for (let after = ""; ;) {
      const response = await api(secret, "GET", `/audit/customers/${id}/readings?limit=2${after}`);
      const { readings, next } = pageSchema.parse(await response.json());
      listed.push(...readings.map(({ principal }) => principal));
      if (next === null) break;
      after = `&after=${next}`;
    }
    expect(listed).toEqual(callers.map(({ principal }) => principal).toReversed());
  });

  it("erases them for good, and is recorded", async () => {
    const { id, token } = await newCustomer();
    const user = await newUser(["admin"]);
    const { secret } = await newKey(user);
    const caller = newObject();
    await read(caller, token);
    await caller.object.anchor();
    // Not folded yet when they are erased.
    await read(caller, token);
    const response = await api(secret, "DELETE", `/audit/customers/${id}/readings`);
    expect([response.status, await response.json()]).toEqual([200, { erased: 1, audit_days: 90 }]);
    await caller.object.anchor();
    expect(await rowsOf(token)).toEqual([]);
    const recorded = (await recordsOf(env.USER_WINDOWS.getByName(user))).filter(
      (record) => record.kind === "attempt",
    );
    expect(recorded).toMatchObject([{ name: "admin.audit.erase", decision: "admitted" }]);

    vi.setSystemTime(NOON + 120_000);
    await read(caller, token);
    await caller.object.anchor();
    expect(await rowsOf(token)).toMatchObject([{ times: 1, first_at: NOON + 120_000 }]);
  });

  it("alone may list or erase them", async () => {
    const { id } = await newCustomer();
    const { secret } = await newKey(await newUser(["support"]));
    for (const method of ["GET", "DELETE"])
      expect((await api(secret, method, `/audit/customers/${id}/readings`)).status).toBe(403);
  });
});
