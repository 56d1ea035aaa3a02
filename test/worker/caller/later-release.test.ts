import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { openIncidentsOf, pageOfIncidents } from "../../../src/incidents/incident-list.ts";
import { link, verifyChain } from "../../../src/caller/audit/chain.ts";
import { exportAudit } from "../../../src/admin/export-audit.ts";
import { WINDOW_MS, admission, newObject, settlement } from "../support/admission.ts";

// Data of a later release, read after a rollback: the caller is answered, and other stored data still counts.

const NOW = 1_800_000_000_000;
const MAX = 40;
let logged: string[];

beforeAll(() => ensureMigrated(env.DB));
beforeEach(() => {
  logged = [];
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  vi.spyOn(console, "error").mockImplementation((line: unknown) => void logged.push(String(line)));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Caller = ReturnType<typeof newObject>;
const limit = { max: MAX, windowMs: WINDOW_MS };
const about = (...subjects: string[]) => ({
  classes: ["identity" as const],
  kinds: ["source" as const],
  cost: { records: 1, bytes: 100 },
  unnamed: { subject: false, objects: 0 },
  details: [{ by: "phone" as const, tokens: subjects.map((subject) => `phone of ${subject}`) }],
  subjects,
  objects: [],
  neighbourhoods: [],
});
const plain = ({ principal }: Caller) => admission(principal, { limit });
const read = ({ principal, object }: Caller, subject: string) =>
  object.admit(
    admission(principal, {
      limit,
      attempt: { name: "get_customer", roles: ["support"], flow: about(subject) },
    }),
  );

async function readAndSettle(caller: Caller, subject: string): Promise<void> {
  const answer = await read(caller, subject);
  if (!answer.admitted) throw new Error("stopped too early");
  const flow = { subjects: [subject], objects: [], missed: false, tainted: false, canary: false };
  await caller.object.settle({ ...settlement(answer.seq), flow });
}

/** Creates a caller with rows in every table, who was stopped at the eighth person. */
async function known(): Promise<Caller> {
  const caller = newObject();
  const { principal, object } = caller;
  for (let person = 0; person < 5; person++) await readAndSettle(caller, `person-${person}`);
  await read(caller, "person-5");
  await runDurableObjectAlarm(object);
  for (const person of [5, 6]) await readAndSettle(caller, `person-${person}`);
  expect(await read(caller, "person-7")).toMatchObject({ stage: "flow" });
  const refused = { arguments: "invalid_arguments" } as const;
  for (let call = 0; call < 3; call++) await object.admit(admission(principal, { limit, refused }));
  await object.consumeNonce({ keyId: "key", nonce: "nonce", expiresAt: NOW + WINDOW_MS });
  await object.noteIdentity({
    principal,
    change: "customer_set",
    by: "admin",
    roles: null,
    key: null,
    customer: "c-1",
  });
  await object.noteChange({ principal, decision: "enabled", by: "admin", note: null });
  return caller;
}

const change = ({ object }: Caller, ...statements: string[]) =>
  runInDurableObject(object, (_, { storage }) => {
    for (const statement of statements) expect(storage.sql.exec(statement).rowsWritten).toBeGreaterThan(0);
  });

const TEXT_TABLES = ["records", "flow_state", "incidents", "runs", "state"];
const set = (table: string, value: string) => `UPDATE ${table} SET text = ${value}`;
const CASES: [table: string, what: string, statement: string][] = [
  ...TEXT_TABLES.flatMap((table): [string, string, string][] => [
    [
      table,
      "another field",
      `${set(table, "json_set(text, '$.shade', 'blue')")} WHERE json_type(text) = 'object'`,
    ],
    [table, "another shape", set(table, `'{"v":2}'`)],
    [table, "another type", set(table, "'[[[1]]]'")],
    [table, "no JSON", set(table, "char(1) || 'packed'")],
  ]),
  ["records", "another kind", set("records", "json_set(text, '$.kind', 'export')")],
  [
    "records",
    "another class of data, verdict, kind of call and target",
    set(
      "records",
      `json_set(text, '$.flow.classes[#]', 'health', '$.flow.kinds[#]', 'stream', '$.target', 'feed',
        '$.hits[#]', json('{"rule":"x","verdict":"shame"}'), '$.change', 'renamed', '$.decision', 'snoozed')`,
    ),
  ],
  ["records", "another bucket", set("records", "json_set(text, '$.bucket', 'exports', '$.charges', 'none')")],
  ["records", "a weight in words", set("records", "json_set(text, '$.weight', 'heavy')")],
  ["runs", "another bucket", set("runs", "json_set(text, '$.bucket', 'exports')")],
  ["incidents", "another verdict", set("incidents", "json_set(text, '$.verdict', 'shame')")],
  ["incidents", "another receiver", "UPDATE incidents SET told = 'pager'"],
  [
    "flow_state",
    "another class of data in flight",
    `${set("flow_state", "json_set(text, '$.classes[#]', 'health')")} WHERE key LIKE 'f:%'`,
  ],
  [
    "state",
    "another anchor",
    set("state", `json_set(text, '$.anchored', 'elsewhere', '$.retentionMs', null)`),
  ],
  ["nonces", "a time in words", "UPDATE nonces SET expires_at = 'never'"],
  ["nonces", "another column", "ALTER TABLE nonces ADD COLUMN shade TEXT"],
  ["records", "another column", "ALTER TABLE records ADD COLUMN shade TEXT"],
];
const NOTHING_TO_LOG = new Set(["another field", "another column"]);

describe.each(CASES)("%s with %s", (table, what, statement) => {
  it("stops no call, and everything else still counts", async () => {
    const caller = await known();
    const { object } = caller;
    await (what === "another column"
      ? runInDurableObject(object, (_, { storage }) => void storage.sql.exec(statement))
      : change(caller, statement));
    await evictDurableObject(object);
    logged = [];

    const answer = await object.admit(plain(caller));
    if (!answer.admitted) throw new Error(JSON.stringify(answer));
    expect(await object.settle(settlement(answer.seq))).toEqual({ given: true });
    // The people who were read still count, from the stored state or from the records.
    expect(await read(caller, "person-1")).toMatchObject({ admitted: true });
    let more = 0;
    while ((await read(caller, `more-${more}`)).admitted) more += 1;
    // Two of the seven were read after the state was stored, and are only in the records.
    expect(more).toBeLessThanOrEqual(table === "records" ? 2 : 0);
    const spent = { keyId: "key", nonce: "nonce", expiresAt: NOW + WINDOW_MS };
    expect(await object.consumeNonce(spent)).toEqual({ status: "used" });
    expect(await object.consumeNonce({ ...spent, nonce: "another" })).toEqual({ status: "fresh" });

    let calls = 0;
    while ((await object.admit(plain(caller))).admitted) calls += 1;
    expect(calls).toBeLessThan(MAX);
    // Admin pages and background work run too.
    await object.overview({ calls: WINDOW_MS, discovery: WINDOW_MS });
    await object.callsAround([1, 3, 5]);
    await object.ruleHits(0);
    await object.exportPage(0, 100, 100);
    await runDurableObjectAlarm(object);
    if (!NOTHING_TO_LOG.has(what) && table !== "nonces")
      expect(logged.join()).toContain(`a stored row of ${table}`);
  });
});

it("a record of an unknown kind is exported, and the chain verifies after it", async () => {
  const caller = await known();
  await runInDurableObject(caller.object, (_, { storage: { sql } }) => {
    const { seq, hash } = sql
      .exec<{ seq: number; hash: string }>("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1")
      .one();
    const text = JSON.stringify({ seq: seq + 1, at: NOW, kind: "export", of: "everything" });
    const next = link({ seq, hash }, text);
    sql.exec("INSERT INTO records (seq, at, text, hash) VALUES (?, ?, ?, ?)", seq + 1, NOW, text, next);
  });
  await evictDurableObject(caller.object);
  expect(await caller.object.admit(plain(caller))).toMatchObject({ admitted: true });
  const anchor = await caller.object.anchor();
  const exported = await exportAudit(env, caller.principal);
  const text = new TextDecoder().decode(await exported?.arrayBuffer());
  expect(text).toContain('"kind":"export"');
  expect(await verifyChain(text.trimEnd().split("\n"), anchor)).toMatchObject({ ok: true });
});

it("an unreadable state is left unchanged, and D1 still says where the chain stood", async () => {
  const caller = await known();
  const { object, principal } = caller;
  const before = await object.anchor();
  await change(caller, set("state", `'{"v":2}'`));
  await evictDurableObject(object);
  await object.admit(plain(caller));
  vi.setSystemTime(NOW + 10 * WINDOW_MS);
  await object.admit(plain(caller));
  await runDurableObjectAlarm(object);
  const stored = await runInDurableObject(object, (_, { storage }) =>
    storage.sql.exec<{ text: string }>("SELECT text FROM state").one(),
  );
  expect(stored).toEqual({ text: '{"v":2}' });
  const row = await env.DB.prepare("SELECT seq, hash, started_at FROM audit_anchors WHERE principal = ?")
    .bind(principal)
    .first();
  expect(row).toEqual({ seq: before?.seq, hash: before?.hash, started_at: before?.started_at });
});

it("an unreadable incident hides no other from the list", async () => {
  const caller = await known();
  await vi.waitFor(async () => expect(await openIncidentsOf(env.DB, caller.principal)).toHaveLength(1));
  await env.DB.prepare(
    `INSERT INTO incidents SELECT 'later', principal, rule, rule_version, 'shame', severity, tool, observed, threshold, window_ms,
       events, first_at, last_at, count, status, decided_by, decided_at, note, correlation_id FROM incidents WHERE principal = ?`,
  )
    .bind(caller.principal)
    .run();
  expect(await openIncidentsOf(env.DB, caller.principal)).toHaveLength(1);
  const { rows } = await pageOfIncidents(env.DB, { which: "all", after: undefined, size: 100 });
  expect(rows.filter(({ incident }) => incident.principal === caller.principal)).toHaveLength(1);
});
