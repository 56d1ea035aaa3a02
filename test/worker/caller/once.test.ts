import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { noteIdentity } from "../../../src/identity/changes.ts";
import { CallerClient } from "../../../src/caller/caller-client.ts";
import type { CallerDO } from "../../../src/caller/caller-do.ts";
import { WINDOW_MS, admission, newObject, settlement } from "../support/admission.ts";
import { newCaller, recordsOf, rowsOf } from "../support/caller.ts";
import { fill, sample } from "../support/catalog.ts";
import { ADA, deskSample, fillDesk } from "../support/desk.ts";
import { losing } from "../support/failing-callers.ts";

// A request whose answer was lost after it had been stored is retried under the same id.

const NOW = 1_800_000_000_000;

beforeAll(async () => {
  await fill(sample);
  await fillDesk();
});
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Instance = DurableObjectStub<CallerDO>;
const remembered = async () => {};
const evicted = (object: Instance) => evictDurableObject(object);
const OVERVIEW = { calls: WINDOW_MS, discovery: WINDOW_MS };
const usedBy = async (object: Instance) =>
  (await object.overview(OVERVIEW)).budget.find(({ bucket }) => bucket === "calls")?.used;

const people = (...subjects: string[]) => ({
  classes: ["identity" as const],
  kinds: ["source" as const],
  cost: { records: 1, bytes: 100 },
  unnamed: { subject: subjects.length === 0, objects: 0 },
  details: [{ by: "phone" as const, tokens: subjects.map((subject) => `phone of ${subject}`) }],
  subjects,
  objects: [],
  neighbourhoods: [],
});
const reading = (principal: string, ...subjects: string[]) =>
  admission(principal, {
    limit: { max: 100, windowMs: WINDOW_MS },
    attempt: { name: "get_customer", roles: ["support"], flow: people(...subjects) },
  });

describe("a call whose answers are lost", () => {
  it("is in the audit once, is charged once, and is answered", async () => {
    const { callers, left } = losing("decideAll", "settle");
    const { ask, object } = newCaller({
      callers,
      roles: ["support"],
      scopes: ["catalog:read", "support:read"],
    });
    const asked = { name: "get_customer", arguments: { customer_id: ADA } };
    const { result, refusal } = await ask("tools/call", asked);
    expect(refusal).toBeUndefined();
    expect(result).toHaveProperty("structuredContent");
    expect(left.size).toBe(0);
    const records = await recordsOf(object);
    expect(records).toMatchObject([
      { kind: "attempt", decision: "admitted" },
      { kind: "outcome", attempt: 1 },
    ]);
    expect(await usedBy(object)).toBe(records.find((each) => each.kind === "attempt")?.weight);
  });

  it("stops no agent that reads as many people as it may", async () => {
    const ids = deskSample.customers.filter(({ canary }) => !canary).map(({ id }) => `C-${id}`);
    const { callers, left } = losing();
    const caller = newCaller({ callers, roles: ["support"], scopes: ["catalog:read", "support:read"] });
    const read = async (customer_id = "") =>
      (await caller.ask("tools/call", { name: "get_customer", arguments: { customer_id } })).refusal;
    // As many people as may be read by id in ten minutes. The admission of the last call cannot know whose
    // order it reads.
    for (const id of ids.slice(0, 3)) {
      left.add("decideAll");
      expect(await read(id)).toBeUndefined();
    }
    left.add("decideAll");
    const found = await caller.ask("tools/call", {
      name: "get_order",
      arguments: { order_id: "O-100026" },
    });
    expect(found.refusal).toBeUndefined();
    // After two minutes an unsettled call counts as a read.
    vi.setSystemTime(NOW + 130_000);
    expect(await read(ids[3])).toBeUndefined();
    const attempts = (await recordsOf(caller.object)).filter(({ kind }) => kind === "attempt");
    expect(attempts).toHaveLength(5);
  });
});

describe.each([
  ["that remembers it", remembered],
  ["that was evicted since", evicted],
])("an object %s", (_, since) => {
  const limit = { max: 2, windowMs: WINDOW_MS };
  const permission = { permission: "permission_denied" } as const;
  const badArguments = { arguments: "invalid_arguments" } as const;

  it.each([
    { what: "admitted", before: 0, refused: {} },
    { what: "refused by permission", before: 0, refused: permission },
    { what: "refused for its arguments", before: 0, refused: badArguments },
    { what: "refused by the limit", before: 2, refused: {} },
    { what: "refused by the limit as a repetition", before: 3, refused: {} },
    { what: "refused as a repetition", before: 1, refused: badArguments },
  ])("answers a call that was $what the same again, and counts it once", async ({ before, refused }) => {
    const { principal, object } = newObject();
    for (let call = 0; call < before; call++) await object.admit(admission(principal, { limit, refused }));
    const request = admission(principal, { limit, refused });
    const first = await object.admit(request);
    const told = { rows: await rowsOf(object), used: await usedBy(object) };
    await since(object);
    expect(await object.admit(request)).toEqual(first);
    expect({ rows: await rowsOf(object), used: await usedBy(object) }).toEqual(told);
    // A call with another id is a different call.
    await object.admit(admission(principal, { limit, refused }));
    const { repeats } = await counted(object);
    expect(before + 2 - repeats).toBe(
      (await recordsOf(object)).filter(({ kind }) => kind === "attempt").length,
    );
  });

  it("asks the same person about a call that a rule stopped, and counts the incident once", async () => {
    const { principal, object } = newObject();
    let person = 0;
    for (; person < 7; person++) {
      const answer = await object.admit(reading(principal, `person-${person}`));
      if (!answer.admitted) throw new Error("stopped too early");
      const { subjects, objects } = people(`person-${person}`);
      const flow = { subjects, objects, missed: false, tainted: false, canary: false };
      await object.settle({ ...settlement(answer.seq), flow });
    }
    const request = reading(principal, "one-too-many");
    const first = await object.admit(request);
    expect(first).toMatchObject({ stage: "flow", refusal: { verdict: "confirm" } });
    const incidents = await object.decidedWith(incidentOf(first));
    await since(object);
    expect(await object.admit(request)).toEqual(first);
    expect(await object.decidedWith(incidentOf(first))).toEqual(incidents);
  });

  it("settles an attempt once, and keeps withholding what it withheld", async () => {
    const { principal, object } = newObject();
    const answer = await object.admit(reading(principal));
    if (!answer.admitted) throw new Error("stopped too early");
    const subjects = Array.from({ length: 20 }, (__, index) => `person-${index}`);
    const flow = { subjects, objects: [], missed: false, tainted: false, canary: false };
    const settled = { ...settlement(answer.seq), records: 20, flow };
    const first = await object.settle(settled);
    expect(first).toMatchObject({ given: false, refusal: { verdict: "confirm" } });
    await since(object);
    expect(await object.settle(settled)).toEqual(first);
    // Later settlements are ignored: the first one counts.
    expect(await object.settle({ ...settled, outcome: "timeout", flow: null })).toEqual(first);
    expect((await recordsOf(object)).filter(({ kind }) => kind === "outcome")).toHaveLength(1);
  });

  it("settles each of many parallel calls once", async () => {
    const { principal, object } = newObject();
    const wide = { limit: { max: 100, windowMs: WINDOW_MS } };
    const requests = Array.from({ length: 30 }, () => admission(principal, wide));
    const admitted = await Promise.all(requests.map((request) => object.admit(request)));
    const seqs = admitted.flatMap((each) => (each.admitted ? [each.seq] : []));
    for (const seq of seqs) await object.settle(settlement(seq));
    await since(object);
    expect(await Promise.all(requests.map((request) => object.admit(request)))).toEqual(admitted);
    for (const seq of seqs) expect(await object.settle(settlement(seq))).toEqual({ given: true });
    expect(await rowsOf(object)).toMatchObject({ records: 60 });
  });

  it("accepts a nonce again from the same request, and from no other", async () => {
    const { object } = newObject();
    const spent = { keyId: "key", nonce: "nonce", expiresAt: NOW + 60_000, requestId: "request-1" };
    expect(await object.consumeNonce(spent)).toEqual({ status: "fresh" });
    await since(object);
    expect(await object.consumeNonce(spent)).toEqual({ status: "fresh" });
    expect(await object.consumeNonce({ ...spent, requestId: "request-2" })).toEqual({ status: "used" });
    const { requestId: __, ...unnamed } = spent;
    expect(await object.consumeNonce(unnamed)).toEqual({ status: "used" });
  });
});

it("a change of a user is recorded once, even if the answer was lost", async () => {
  const user = `noted-${crypto.randomUUID()}`;
  const added = { change: "user_added", by: "admin" } as const;
  const { callers } = losing("noteIdentity");
  for (const when of ["before", "after"] as const) await noteIdentity(callers, user, added, when);
  expect(await recordsOf(env.USER_WINDOWS.getByName(user))).toMatchObject([added, added]);
});

describe("a person's decision", () => {
  async function stopped() {
    const { principal, object } = newObject();
    for (let person = 0; person < 7; person++) await object.admit(reading(principal, `person-${person}`));
    const answer = await object.admit(reading(principal, "one-too-many"));
    return { principal, object, incident: incidentOf(answer) };
  }
  const decisions = async (object: Instance) =>
    (await recordsOf(object)).filter(({ kind }) => kind === "decision");
  const by = { by: "ada", note: null };

  it("is made once, and answered as decided, even if the answer was lost", async () => {
    const { principal, object, incident } = await stopped();
    const client = new CallerClient(losing("decide").callers, principal);
    expect(await client.decide({ incident, decision: "released", ...by })).toMatchObject({
      id: incident,
      status: "released",
    });
    expect(await decisions(object)).toHaveLength(1);
    // Another person is too late.
    const other = new CallerClient(env.USER_WINDOWS, principal);
    expect(await other.decide({ incident, decision: "declined", ...by })).toBeUndefined();
  });

  it("releases once, and is answered with the rules, even if the answer was lost", async () => {
    const { principal, object } = await stopped();
    const client = new CallerClient(losing("release").callers, principal);
    expect(await client.release({ rule: null, ...by })).toEqual(["people"]);
    expect(await decisions(object)).toHaveLength(1);
  });
});

const incidentOf = (answer: Awaited<ReturnType<Instance["admit"]>>): string =>
  !answer.admitted && answer.stage === "flow" && answer.refusal.verdict === "confirm"
    ? answer.refusal.incident
    : "";

/** Returns the repetitions that are counted in runs. */
const counted = (object: Instance) =>
  runInDurableObject(object, (_, { storage }) => ({
    repeats: storage.sql
      .exec<{ text: string }>("SELECT text FROM runs")
      .toArray()
      .map(({ text }): { count: number } => JSON.parse(text))
      .reduce((sum, { count }) => sum + count, 0),
  }));
