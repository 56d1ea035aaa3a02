import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import type { CallerDO } from "../../../src/caller/caller-do.ts";
import { admission, newObject } from "../support/admission.ts";
import { recordsOf } from "../support/caller.ts";

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** More people than may be read in ten minutes. */
const PEOPLE = 40;

const HOOK = {
  INCIDENT_WEBHOOK_URL: "https://hook.example/",
  INCIDENT_WEBHOOK_SECRET: `whsec_${btoa("x".repeat(32))}`,
};
let webhook: (body: string) => number;
const sent: string[] = [];
const sentAt = new Set<number>();
const logged: string[] = [];

beforeEach(async () => {
  await ensureMigrated(env.DB);
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  vi.spyOn(console, "error").mockImplementation((line: unknown) => void logged.push(String(line)));
  Object.assign(env, HOOK);
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
    const body = z.string().parse(init?.body);
    sent.push(body);
    sentAt.add(Date.now());
    return new Response(null, { status: webhook(body) });
  });
  webhook = () => 500;
  sent.length = 0;
  sentAt.clear();
  logged.length = 0;
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  for (const name of Object.keys(HOOK)) Reflect.deleteProperty(env, name);
});

const about = (subject: string) => ({
  classes: ["identity" as const],
  kinds: ["source" as const],
  cost: { records: 1, bytes: 100 },
  unnamed: { subject: false, objects: 0 },
  // People whom a phone number found count for one rule about people alone.
  details: [{ by: "phone" as const, tokens: [`phone of ${subject}`] }],
  subjects: [subject],
  objects: [],
  neighbourhoods: [],
});

const LIMIT = { max: 1_000, windowMs: MINUTE };
type Caller = ReturnType<typeof newObject>;

/** Makes one call about a person; returns the incident that stopped it. */
async function read({ principal, object }: Caller, subject: string): Promise<string | undefined> {
  const attempt = { name: "get_customer", roles: ["support"], flow: about(subject) };
  const answer = await object.admit(admission(principal, { limit: LIMIT, attempt }));
  return !answer.admitted && answer.stage === "flow" && answer.refusal.verdict === "confirm"
    ? answer.refusal.incident
    : undefined;
}

/** Reads many people; returns the incident that stopped it. */
async function stop(caller: Caller, people = PEOPLE, names = "person"): Promise<string> {
  let incident: string | undefined;
  for (let person = 0; person < people; person++) incident = await read(caller, `${names}-${person}`);
  if (incident === undefined) throw new Error("nobody stopped it");
  return incident;
}
/** Reads a planted record: the call is answered, and an incident recorded. */
const plant = ({ principal, object }: Caller) =>
  runInDurableObject(object, (instance: CallerDO) => {
    const flow = about("person-0");
    const attempt = { name: "get_customer", roles: ["support"], flow };
    const answer = instance.admit(admission(principal, { limit: LIMIT, attempt }));
    if (!answer.admitted) throw new Error("a known person is read on");
    const { subjects, objects } = flow;
    instance.settle({
      attempt: answer.seq,
      outcome: "ok",
      records: 1,
      bytes: 10,
      duration_ms: 1,
      flow: { subjects, objects, missed: false, tainted: false, canary: true },
    });
  });
const decide = ({ object }: Caller, incident: string, decision: "released" | "declined" = "released") =>
  object.decide({ incident, decision, by: "user-admin", note: null });

const rows = async ({ principal }: Caller) =>
  z
    .array(
      z.object({
        id: z.string(),
        rule: z.string(),
        status: z.string(),
        count: z.int(),
        decided_by: z.string().nullable(),
        decided_at: z.int().nullable(),
      }),
    )
    .parse(
      (
        await env.DB.prepare(
          "SELECT id, rule, status, count, decided_by, decided_at FROM incidents WHERE principal = ? ORDER BY first_at, rule",
        )
          .bind(principal)
          .all()
      ).results,
    );
const held = ({ object }: Caller) =>
  runInDurableObject(object, (_, { storage }) =>
    storage.sql.exec<{ id: string; told: string }>("SELECT id, told FROM incidents ORDER BY rowid").toArray(),
  );
const alarmOf = ({ object }: Caller) => runInDurableObject(object, (_, { storage }) => storage.getAlarm());

describe("a webhook that is down", () => {
  it("delays no decision, and D1 has the incident at once", async () => {
    const caller = newObject();
    const incident = await stop(caller);
    expect(await decide(caller, incident)).toMatchObject({ status: "released" });
    expect(await rows(caller)).toMatchObject([{ rule: "people", status: "released" }]);
  });

  it("is called once for each doubling, and D1 no more often, however often the caller tries", async () => {
    const caller = newObject();
    const prepare = vi.spyOn(env.DB, "prepare");
    await stop(caller);
    await vi.waitFor(() => expect(sent.length).toBeGreaterThan(0));
    // 33 refusals: sent at 1, 2, 4, 8, 16 and 32.
    expect(sent.length).toBeLessThanOrEqual(6);
    const writes = prepare.mock.calls.filter(([sql]) => sql.includes("INTO incidents"));
    expect(writes.length).toBeLessThanOrEqual(6);
  });

  it("is retried at doubling intervals up to an hour, and D1 is not", async () => {
    const caller = newObject();
    await stop(caller, 8);
    await vi.waitFor(async () => expect(await held(caller)).toMatchObject([{ told: "database" }]));
    const prepare = vi.spyOn(env.DB, "prepare");
    sent.length = 0;
    let at = NOW;
    while (at < NOW + 6 * HOUR) {
      at = (await alarmOf(caller)) ?? Infinity;
      vi.setSystemTime(at);
      await runDurableObjectAlarm(caller.object);
    }
    // After 1, 2, 4, 8, 16, 32 and 64 minutes, then every hour.
    expect(sent).toHaveLength(12);
    expect(prepare.mock.calls.filter(([sql]) => sql.includes("INTO incidents"))).toHaveLength(0);
  });

  it("is retried no more often because of newer incidents, which D1 gets at once", async () => {
    const caller = newObject();
    await stop(caller, 8);
    for (let half = 1; half < 44; half++) {
      const at = NOW + (half * MINUTE) / 2;
      const alarm = (await alarmOf(caller)) ?? Infinity;
      if (alarm <= at) {
        vi.setSystemTime(alarm);
        await runDurableObjectAlarm(caller.object);
      }
      vi.setSystemTime(at);
      await decide(caller, await stop(caller, 8, `person-${half}`), "declined");
      expect((await rows(caller)).filter(({ status }) => status !== "declined")).toEqual([]);
    }
    expect([...sentAt].map((at) => (at - NOW) / MINUTE)).toEqual([0, 1, 2, 4, 8, 16]);
  });

  it("is retried once after an eviction, and then again when it is due", async () => {
    const caller = newObject();
    await stop(caller, 8);
    vi.setSystemTime(NOW + 10 * MINUTE);
    await runDurableObjectAlarm(caller.object);
    vi.setSystemTime(NOW + 11 * MINUTE);
    for (const round of [1, 2, 3]) {
      await evictDurableObject(caller.object);
      sentAt.clear();
      vi.setSystemTime(NOW + (11 + round) * MINUTE);
      for (const news of ["a", "b"])
        await decide(caller, await stop(caller, 8, `${round}-${news}`), "declined");
      await runDurableObjectAlarm(caller.object);
      expect([...sentAt]).toEqual([NOW + (11 + round) * MINUTE]);
    }
    sentAt.clear();
    while (sentAt.size === 0) {
      vi.setSystemTime((await alarmOf(caller)) ?? Infinity);
      await runDurableObjectAlarm(caller.object);
    }
    // The incident that waits longest was decided in minute 12.
    expect([...sentAt]).toEqual([NOW + 16 * MINUTE]);
  });

  it("keeps the object in memory no longer than until its answer", async () => {
    const caller = newObject();
    await stop(caller, 8);
    await vi.waitFor(() => expect(sent).toHaveLength(1));
    const began = performance.now();
    await evictDurableObject(caller.object);
    expect(performance.now() - began).toBeLessThan(4_000);
  });

  it("is given up after three days, with a log line", async () => {
    const caller = newObject();
    await stop(caller, 8);
    await vi.waitFor(async () => expect(await held(caller)).toMatchObject([{ told: "database" }]));
    vi.setSystemTime(NOW + 73 * HOUR);
    await runDurableObjectAlarm(caller.object);
    expect(logged.join()).toContain("incident_untold");
    expect(await held(caller)).toMatchObject([{ told: "everybody" }]);
  });

  it("is up again for everything that waits, and for new incidents", async () => {
    const caller = newObject();
    await stop(caller, 8);
    await vi.waitFor(async () => expect(await held(caller)).toMatchObject([{ told: "database" }]));
    webhook = () => 200;
    vi.setSystemTime(NOW + 2 * MINUTE);
    await runDurableObjectAlarm(caller.object);
    await decide(caller, await stop(caller, 8, "more"), "declined");
    await vi.waitFor(async () => expect(await held(caller)).toEqual([]));
  });

  it("for one message delays no other", async () => {
    const caller = newObject();
    webhook = (body) => (body.includes('"people"') ? 400 : 200);
    await stop(caller);
    await plant(caller);
    await vi.waitFor(async () =>
      expect((await held(caller)).map(({ told }) => told)).toEqual(["database", "everybody"]),
    );
  });
});

describe("an incident", () => {
  beforeEach(() => {
    webhook = () => 200;
  });

  it("is kept until D1 has it, and D1 has the latest state", async () => {
    const caller = newObject();
    const prepare = env.DB.prepare.bind(env.DB);
    const down = vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
      if (sql.includes("INTO incidents")) throw new Error("D1 is away");
      return prepare(sql);
    });
    const incident = await stop(caller);
    expect(await decide(caller, incident)).toMatchObject({ status: "released" });
    expect(await rows(caller)).toEqual([]);
    down.mockRestore();
    await evictDurableObject(caller.object);
    await runDurableObjectAlarm(caller.object);
    expect(await rows(caller)).toMatchObject([{ id: incident, status: "released" }]);
    // Decided and delivered: the object no longer holds it.
    expect(await held(caller)).toEqual([]);
  });

  it("that D1 rejects delays no other, and is written when D1 accepts it", async () => {
    const caller = newObject();
    await env.DB.exec(
      "CREATE TRIGGER refuses BEFORE INSERT ON incidents WHEN new.rule = 'people' BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    const refused = await stop(caller, 8);
    await plant(caller);
    await vi.waitFor(async () =>
      expect((await held(caller)).map(({ told }) => told)).toEqual(["nobody", "everybody"]),
    );
    expect(await rows(caller)).toMatchObject([{ rule: "canary" }]);
    expect(logged.join()).toContain(`incident ${refused}`);
    await env.DB.exec("DROP TRIGGER refuses");
    await runDurableObjectAlarm(caller.object);
    expect(await rows(caller)).toMatchObject([{ rule: "canary" }, { rule: "people" }]);
  });

  it("is sent to the webhook, even if an earlier alarm had nothing to send", async () => {
    const caller = newObject();
    await read(caller, "person-0");
    await runDurableObjectAlarm(caller.object);
    await stop(caller);
    await vi.waitFor(async () => expect(await held(caller)).toMatchObject([{ told: "everybody" }]));
  });

  it("is closed by a later one of its rule, so that one per rule is open", async () => {
    const caller = newObject();
    const first = await stop(caller);
    vi.setSystemTime(NOW + 2 * HOUR);
    const second = await stop(caller);
    expect(second).not.toBe(first);
    await vi.waitFor(async () =>
      expect(await rows(caller)).toMatchObject([
        { id: first, status: "closed" },
        { id: second, status: "open" },
      ]),
    );
    expect(await decide(caller, first)).toBeUndefined();
    expect(await decide(caller, second)).toMatchObject({ status: "released" });
  });

  it("that asks a person can be decided, however many others the webhook waits for", async () => {
    webhook = () => 500;
    const caller = newObject();
    const incident = await stop(caller);
    for (let round = 1; round <= 22; round++) {
      vi.setSystemTime(NOW + round * 61 * MINUTE);
      await plant(caller);
    }
    await vi.waitFor(async () => expect(await rows(caller)).toHaveLength(23));
    expect(await held(caller)).toHaveLength(16);
    expect(logged.filter((line) => line.includes("incident_untold"))).toHaveLength(7);
    expect(await decide(caller, incident)).toMatchObject({ status: "released" });
  });

  it("that its object has dropped is closed in D1 with the next one", async () => {
    const [caller, other] = [newObject(), newObject()];
    const gone = await stop(caller);
    const kept = await stop(other);
    await vi.waitFor(async () => expect(await held(caller)).toMatchObject([{ told: "everybody" }]));
    await runInDurableObject(
      caller.object,
      (_, { storage }) => void storage.sql.exec("DELETE FROM incidents"),
    );
    await evictDurableObject(caller.object);
    vi.setSystemTime(NOW + MINUTE);
    await plant(caller);
    await vi.waitFor(async () =>
      expect(await rows(caller)).toMatchObject([
        { id: gone, status: "closed", decided_by: null, decided_at: expect.closeTo(NOW + MINUTE, -3) },
        { rule: "canary", status: "open" },
      ]),
    );
    expect(await rows(other)).toMatchObject([{ id: kept, status: "open" }]);
  });

  it("is closed in D1 when its object ends", async () => {
    const caller = newObject();
    const incident = await stop(caller);
    await vi.waitFor(async () =>
      expect(await rows(caller)).toMatchObject([{ id: incident, status: "open" }]),
    );
    for (const days of [1, 32]) {
      vi.setSystemTime(NOW + days * 24 * HOUR + MINUTE);
      await runDurableObjectAlarm(caller.object);
    }
    expect(await rows(caller)).toMatchObject([{ id: incident, status: "closed", decided_by: null }]);
    expect(await alarmOf(caller)).toBeNull();
  });

  it("is kept apart from 16 others at most; those that D1 never had are logged", async () => {
    const caller = newObject();
    const prepare = env.DB.prepare.bind(env.DB);
    vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
      if (sql.includes("INTO incidents")) throw new Error("D1 is away");
      return prepare(sql);
    });
    for (let round = 0; round < 18; round++) {
      vi.setSystemTime(NOW + round * 2 * HOUR);
      await stop(caller, 8, `round-${round}`);
    }
    expect(await held(caller)).toHaveLength(16);
    expect(logged.filter((line) => line.includes("incident_lost"))).toHaveLength(2);
  });
});

it("a refusal after a decision has a record of its own", async () => {
  const caller = newObject();
  webhook = () => 200;
  await decide(caller, await stop(caller));
  await stop(caller);
  const records = await recordsOf(caller.object);
  expect(records.map(({ kind }) => kind).filter((kind) => kind === "decision" || kind === "repeats")).toEqual(
    ["repeats", "decision"],
  );
  const refused = records.filter(
    (record) => record.kind === "attempt" && record.decision === "confirmation_required",
  );
  expect(refused).toHaveLength(2);
});
