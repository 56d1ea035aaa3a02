import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { recordingOfAudit } from "../../../cli/replay/read-audit.ts";
import { replay } from "../../../cli/replay/replay.ts";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import type { Hit } from "../../../src/detection/decision.ts";
import { detectorOf } from "../../../src/detection/detector.ts";
import { type DataClass, isPersonal, isPublicRead } from "../../../src/detection/labels.ts";
import { PUBLIC_IN_FLIGHT_MAX } from "../../../src/detection/state/public-reads.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { DAY_MS, admission, newObject } from "../support/admission.ts";
import { recordsOf } from "../support/caller.ts";
import type { AuditRecord } from "../../../src/caller/audit/records.ts";
import type { CallerDO } from "../../../src/caller/caller-do.ts";

const NOW = 1_800_000_000_000;
/** Longer than a session, because pruned records cannot be replayed. */
const RETENTION_MS = 40 * DAY_MS;

beforeEach(async () => {
  await ensureMigrated(env.DB);
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  // workerd does not measure processor time.
  Object.assign(process, { threadCpuUsage: () => ({ user: 0, system: 0 }) });
});
afterEach(() => {
  vi.useRealTimers();
  Reflect.deleteProperty(process, "threadCpuUsage");
});

const tool = fc.constantFrom<{ name: string; classes: DataClass[]; named: boolean }>(
  { name: "search_customers", classes: ["identity"], named: false },
  { name: "get_customer", classes: ["identity", "contact"], named: true },
  { name: "get_customer_orders", classes: ["orders"], named: true },
  { name: "get_payment_methods", classes: ["payment"], named: true },
  { name: "search_products", classes: ["catalog"], named: false },
  { name: "get_product", classes: ["catalog"], named: true },
  { name: "close_ticket", classes: [], named: true },
);
const call = fc.record({
  kind: fc.constant("call" as const),
  tool,
  ids: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 3 }),
  found: fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 40, size: "max" }),
  catalog: fc.constantFrom(0, 400, 20_000),
  agrees: fc.boolean(),
  missed: fc.integer({ min: 0, max: 3 }),
  missing: fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 12 }),
  tainted: fc.integer({ min: 0, max: 6 }),
  canary: fc.integer({ min: 0, max: 15 }),
});
const step = fc.oneof(
  { weight: 14, arbitrary: call },
  { weight: 9, arbitrary: fc.record({ kind: fc.constant("settle" as const), which: fc.nat() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.constantFrom(1, 900, 20_000, 61_000, 130_000, 660_000, 7_200_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("decide" as const), release: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant({ kind: "evict" as const }) },
);
type Call = typeof call extends fc.Arbitrary<infer Value> ? Value : never;

const unique = (ids: number[]) => [...new Set(ids)];
const touched = (people: number[], things: number[]) => ({
  subjects: unique(people).map((id) => `s${id}`),
  objects: unique(things).map((id) => `o${id}`),
});
const runs = (ids: number[]) => unique(ids.map((id) => Math.floor(id / 16))).map((run) => `n${run}`);

function flowOf({ tool: { name, classes, named }, ids }: Call) {
  const personal = isPersonal({ classes });
  return {
    classes,
    kinds: [name === "close_ticket" ? ("write" as const) : ("source" as const)],
    cost: { records: 40, bytes: 4_000 },
    unnamed: { subject: personal && !named, objects: classes.includes("catalog") && !named ? 40 : 0 },
    ...(named ? touched(personal ? ids.slice(0, 1) : [], personal ? [] : ids) : touched([], [])),
    neighbourhoods: named ? runs(personal ? ids.slice(0, 1) : ids) : [],
  };
}

function resultOf({ tool: { classes }, ids, found, missed, missing, tainted, canary }: Call) {
  const personal = isPersonal({ classes });
  const held = touched(personal ? ids : [], classes.includes("catalog") ? found : []);
  return {
    outcome: "ok",
    records: found.length,
    bytes: found.length * 100,
    duration_ms: 1,
    flow: {
      ...held,
      missed: missed === 0,
      ...(isPublicRead({ classes, kinds: [] }) && { missing: unique(missing).map((id) => `m${id}`) }),
      tainted: tainted === 0,
      canary: canary === 0,
    },
  };
}

/** Whether a call only waited for others in flight: the client retries it, and a replay skips it. */
const waited = (record: AuditRecord) =>
  record.kind === "attempt" && record.decision === "rate_limited" && record.hits.length === 0;

/** Compares the rules' decisions on each call and outcome with those of a replay of the audit. */
async function compare(object: DurableObjectStub<CallerDO>) {
  const records = await recordsOf(object);
  const live = records.flatMap((record) =>
    (record.kind === "attempt" || record.kind === "outcome") && record.flow !== null && !waited(record)
      ? [record.hits]
      : [],
  );
  const judged: Hit[][] = [];
  const recording = recordingOfAudit("somebody", records);
  replay(recording, detectorOf(policyInForce().rules), (_, { hits }) => judged.push(hits));
  return { live, judged };
}

it("an audit replays to the verdicts of its session", async () => {
  const spoke = new Set<string>();
  const session = fc.array(step, { minLength: 60, maxLength: 160, size: "max" });
  await fc.assert(
    fc.asyncProperty(session, async (steps) => {
      const { principal, object } = newObject();
      const running: { seq: number; made: Call }[] = [];
      let incident = "";
      for (const each of steps) {
        if (each.kind === "wait") vi.setSystemTime(Date.now() + each.ms);
        else if (each.kind === "evict") {
          // An object that does not run cannot be evicted.
          await object.exportPage(0, 0, 1);
          await evictDurableObject(object);
        } else if (each.kind === "decide")
          await object.decide({
            incident,
            decision: each.release ? "released" : "declined",
            by: "root",
            note: null,
          });
        else if (each.kind === "settle") {
          const [settled] = running.splice(each.which % Math.max(1, running.length), 1);
          if (settled !== undefined) await object.settle({ attempt: settled.seq, ...resultOf(settled.made) });
        } else {
          const attempt = {
            name: each.tool.name,
            digest: `d${each.ids[0] ?? 0}`,
            roles: ["support"],
            flow: flowOf(each),
            catalog_size: each.catalog,
          };
          const agreed = { nonce: crypto.randomUUID(), expiresAt: Date.now() + 60_000, askedAt: Date.now() };
          const limit = { max: 1_000, windowMs: 60_000 };
          const answer = await object.admit(
            admission(principal, {
              limit,
              attempt,
              ...(each.agrees && { agreed }),
              retentionMs: RETENTION_MS,
            }),
          );
          if (answer.admitted) running.push({ seq: answer.seq, made: each });
          else if (answer.stage === "flow" && answer.refusal.verdict === "confirm")
            incident = answer.refusal.incident;
        }
      }

      const { live, judged } = await compare(object);
      for (const { rule } of live.flat()) spoke.add(rule);
      expect(judged).toEqual(live);
    }),
    { numRuns: 8, endOnFailure: true },
  );
  expect(spoke.size).toBeGreaterThan(2);
}, 30_000);

it("calls beyond the limit in flight are lost at the same point, whoever is refused in between", async () => {
  const { principal, object } = newObject();
  const limit = { max: 1_000, windowMs: 60_000 };
  let made = 0;
  const admit = (name: string, flow: object, size = 100_000) =>
    object.admit(
      admission(principal, {
        limit,
        attempt: {
          name,
          digest: `d${made++}`,
          roles: ["support"],
          flow: { ...EMPTY, ...flow },
          catalog_size: size,
        },
      }),
    );
  const search = { classes: ["catalog" as const], unnamed: { subject: false, objects: 40 } };
  // A refusal with a record of its own; another of its kind is only counted.
  await admit(
    "query_stock",
    { classes: ["catalog"], objects: Array.from({ length: 300 }, (_, n) => `x${n}`) },
    0,
  );
  const running = [];
  for (let each = 0; each < PUBLIC_IN_FLIGHT_MAX + 1; each++) {
    const answer = await admit("search_products", search);
    if (answer.admitted) running.push(answer.seq);
  }
  expect(running).toHaveLength(PUBLIC_IN_FLIGHT_MAX + 1);
  await admit(
    "query_stock",
    { classes: ["catalog"], objects: Array.from({ length: 300 }, (_, n) => `y${n}`) },
    0,
  );
  for (const attempt of running) {
    const objects = Array.from({ length: 40 }, (_, n) => `p${attempt}-${n}`);
    const flow = { ...EMPTY_TOUCHED, objects, missed: false, tainted: false, canary: false };
    await object.settle({ attempt, outcome: "ok", records: 40, bytes: 400, duration_ms: 1, flow });
  }
  vi.setSystemTime(NOW + 70_000);
  await admit("search_products", search, 0);
  const { live, judged } = await compare(object);
  expect(judged).toEqual(live);
  expect(live.at(-1)).toMatchObject([{ rule: "catalog-crawl" }]);
});

const EMPTY_TOUCHED = { subjects: [], objects: [] };
const EMPTY = {
  ...EMPTY_TOUCHED,
  neighbourhoods: [],
  classes: [],
  kinds: ["source" as const],
  cost: { records: 40, bytes: 400 },
  unnamed: { subject: false, objects: 0 },
};
