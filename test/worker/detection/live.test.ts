import { env } from "cloudflare:workers";
import { evictDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { newKey, newUser } from "../identity/support/people.ts";
import { BORIS, CANARY, ask, deskSample, fillDesk } from "../support/desk.ts";

/** Enough people to reach the limits, without a canary. */
const PEOPLE = 20;
const [, pattern] = deskSample.customers;

beforeAll(async () => {
  if (pattern === undefined) throw new Error("no customer");
  const customers = Array.from({ length: PEOPLE }, (_, index) => ({
    ...pattern,
    id: 10_100 + index * 40,
    email: `p${index}@example.com`,
    phone: phoneOf(index),
  }));
  await fillDesk({ ...deskSample, customers: [...deskSample.customers, ...customers] });
});
const idOf = (index: number) => `C-${10_100 + index * 40}`;
const phoneOf = (index: number) => `+49 30 5550 ${200 + index}`;

async function agent() {
  const user = await newUser(["support"]);
  const { secret } = await newKey(user);
  return { user, as: { authorization: `Bearer ${secret}` } };
}

const rowSchema = z.object({
  rule: z.string(),
  verdict: z.string(),
  severity: z.string(),
  status: z.string(),
  count: z.int(),
  id: z.string(),
});
async function incidents(principal: string) {
  const { results } = await env.DB.prepare(
    "SELECT id, rule, verdict, severity, status, count FROM incidents WHERE principal = ? ORDER BY rule",
  )
    .bind(principal)
    .all();
  return z.array(rowSchema).parse(results);
}

type Agent = Record<string, string>;
const readById = (as: Agent, index: number) => ask(as, "get_customer", { customer_id: idOf(index) });
/** Finds a customer by what they said of themselves before the customer is read. */
async function findAndRead(as: Agent, index: number) {
  const found = await ask(as, "search_customers", { phone: phoneOf(index) });
  return found.value === undefined ? found : readById(as, index);
}
const WAYS = [
  { way: "by id alone", read: readById, max: 4, rule: "unexplained-people" },
  { way: "after finding each by phone", read: findAndRead, max: 7, rule: "people" },
];

/**
 * Reads one person after another. Returns how many were answered before the first refusal, and that refusal.
 */
async function readPeople(
  as: Agent,
  read: typeof readById,
  each: (index: number) => Promise<void> = async () => {},
) {
  for (let index = 0; index < PEOPLE; index++) {
    const { value, refusal, whole } = await read(as, index);
    if (value === undefined) return { answered: index, refusal, whole };
    await each(index);
  }
  throw new Error("nobody stopped it");
}

describe.each(WAYS)("reads of people $way", ({ read, max, rule }) => {
  it("need a person's confirmation past the limit, in words that name no rule and no limit", async () => {
    const { user, as } = await agent();
    const { answered, refusal, whole } = await readPeople(as, read);
    expect(answered).toBe(max);
    expect(refusal).toMatchObject({
      code: "confirmation_required",
      hints: { confirm_at: [expect.stringMatching(/\/confirm\/[\w-]{22}$/)] },
    });
    // The link ends in random letters.
    expect(whole.replaceAll(/\/confirm\/[\w-]{22}/g, "")).not.toMatch(
      /people|profile|threshold|window|rule|limit|10m|explain/i,
    );
    expect(await incidents(user)).toMatchObject([
      { rule, verdict: "confirm", severity: "medium", status: "open", count: 1 },
    ]);
  });

  it("stop at the same one if memory is lost between any two calls", async () => {
    const { user, as } = await agent();
    const { answered, refusal } = await readPeople(as, read, () =>
      evictDurableObject(env.USER_WINDOWS.getByName(user)),
    );
    expect(answered).toBe(max);
    expect(refusal).toMatchObject({ code: "confirmation_required" });
  });

  it("cannot race past the limit in parallel", async () => {
    const { as } = await agent();
    const all = await Promise.all(Array.from({ length: PEOPLE }, (_, index) => read(as, index)));
    expect(all.filter(({ value }) => value !== undefined)).toHaveLength(max);
  });

  it("go on for a caller that a person released, within the allowance", async () => {
    const { user, as } = await agent();
    await readPeople(as, read);
    const [incident] = await incidents(user);
    const decided = await env.USER_WINDOWS.getByName(user).decide({
      incident: incident?.id ?? "",
      decision: "released" as const,
      by: "user-admin",
      note: null,
    });
    expect(decided).toMatchObject({ status: "released", decided_by: "user-admin" });
    // Ids alone lead to the limit of all people next, which is another rule.
    expect((await readPeople(as, read)).answered).toBe(rule === "people" ? 7 + 5 : 7);

    const next = (await incidents(user)).find(({ status }) => status === "open");
    const again = { incident: next?.id ?? "", decision: "released" as const, by: "user-admin", note: null };
    expect(await env.USER_WINDOWS.getByName(user).decide(again)).toMatchObject({ status: "released" });
    expect((await readPeople(as, read)).answered).toBe(rule === "people" ? 7 + 5 + 5 : 4 + 5);
  });
});

describe("reads of people", () => {
  it("stay stopped after a person declined, and nobody decides the same twice", async () => {
    const { user, as } = await agent();
    await readPeople(as, readById);
    const [incident] = await incidents(user);
    const decision = {
      incident: incident?.id ?? "",
      decision: "declined" as const,
      by: "user-admin",
      note: "no",
    };
    const stub = env.USER_WINDOWS.getByName(user);
    expect(await stub.decide(decision)).toMatchObject({ status: "declined", note: "no" });
    expect(await stub.decide({ ...decision, decision: "released" })).toBeUndefined();
    expect((await ask(as, "get_customer", { customer_id: idOf(9) })).refusal).toMatchObject({
      code: "confirmation_required",
    });
  });

  it("are not stopped if the agent reads its own customers again", async () => {
    const { as } = await agent();
    for (let times = 0; times < 12; times++) {
      expect((await ask(as, "get_customer", { customer_id: BORIS })).value).toBeDefined();
      expect((await ask(as, "get_payment_methods", { customer_id: BORIS })).value).toBeDefined();
    }
  });
});

it("a canary is answered like any other customer, and reported at once as critical", async () => {
  const { user, as } = await agent();
  const { value } = await ask(as, "get_customer", { customer_id: CANARY.customer });
  expect(value).toMatchObject({ customer_id: CANARY.customer });
  expect(await incidents(user)).toMatchObject([{ rule: "canary", verdict: "flag", severity: "critical" }]);
});
