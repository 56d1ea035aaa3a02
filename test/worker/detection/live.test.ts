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
  }));
  await fillDesk({ ...deskSample, customers: [...deskSample.customers, ...customers] });
});
const idOf = (index: number) => `C-${10_100 + index * 40}`;

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

/**
 * Reads one person after another. Returns how many were answered before the first refusal, and that refusal.
 */
async function readPeople(
  as: Record<string, string>,
  each: (index: number) => Promise<void> = async () => {},
) {
  for (let index = 0; index < PEOPLE; index++) {
    const { value, refusal, whole } = await ask(as, "get_customer", { customer_id: idOf(index) });
    if (value === undefined) return { answered: index, refusal, whole };
    await each(index);
  }
  throw new Error("nobody stopped it");
}

describe("reads of people, one after the other,", () => {
  it("need a person's confirmation at the eighth, in words that name no rule and no limit", async () => {
    const { user, as } = await agent();
    const { answered, refusal, whole } = await readPeople(as);
    expect(answered).toBe(7);
    expect(refusal).toMatchObject({
      code: "confirmation_required",
      hints: { confirm_at: [expect.stringMatching(/\/confirm\/[\w-]{22}$/)] },
    });
    expect(whole).not.toMatch(/people|profile|threshold|window|rule|limit|10m/i);
    expect(await incidents(user)).toMatchObject([
      { rule: "people", verdict: "confirm", severity: "medium", status: "open", count: 1 },
    ]);
  });

  it("stop at the same one if memory is lost between any two calls", async () => {
    const { user, as } = await agent();
    const { answered, refusal } = await readPeople(as, () =>
      evictDurableObject(env.USER_WINDOWS.getByName(user)),
    );
    expect(answered).toBe(7);
    expect(refusal).toMatchObject({ code: "confirmation_required" });
  });

  it("cannot race past the limit in parallel", async () => {
    const { as } = await agent();
    const all = await Promise.all(
      Array.from({ length: PEOPLE }, (_, index) => ask(as, "get_customer", { customer_id: idOf(index) })),
    );
    expect(all.filter(({ value }) => value !== undefined)).toHaveLength(7);
  });

  it("go on for a caller that a person released, within the allowance", async () => {
    const { user, as } = await agent();
    await readPeople(as);
    const [incident] = await incidents(user);
    const decided = await env.USER_WINDOWS.getByName(user).decide({
      incident: incident?.id ?? "",
      decision: "released" as const,
      by: "user-admin",
      note: null,
    });
    expect(decided).toMatchObject({ status: "released", decided_by: "user-admin" });
    expect((await readPeople(as)).answered).toBe(7 + 5);

    const next = (await incidents(user)).find(({ status }) => status === "open");
    const again = { incident: next?.id ?? "", decision: "released" as const, by: "user-admin", note: null };
    expect(await env.USER_WINDOWS.getByName(user).decide(again)).toMatchObject({ status: "released" });
    expect((await readPeople(as)).answered).toBe(7 + 5 + 5);
  });

  it("stay stopped after a person declined, and nobody decides the same twice", async () => {
    const { user, as } = await agent();
    await readPeople(as);
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
