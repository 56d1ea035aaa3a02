import { runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { CallerIncidents } from "../../../src/caller/caller-incidents.ts";
import type { Incident } from "../../../src/incidents/incident-record.ts";
import { createStore } from "../../../src/caller/store.ts";
import { DAY_MS, admission, newObject } from "../support/admission.ts";

const NOW = 1_800_000_000_000;
const HELD_MAX = 16;

afterEach(() => vi.restoreAllMocks());

const logged: string[] = [];

/** Runs `work` with incidents in a real object's storage and their log lines. */
async function inLog<T>(work: (log: CallerIncidents) => T): Promise<T> {
  logged.length = 0;
  vi.spyOn(console, "error").mockImplementation((line: unknown) => void logged.push(String(line)));
  const { principal, object } = newObject();
  await object.admit(admission(principal, { retentionMs: DAY_MS }));
  return runInDurableObject(object, (_, { storage }) => work(new CallerIncidents(createStore(storage.sql))));
}

/** Records the first hit of a rule. */
function speak(log: CallerIncidents, rule: string, verdict: Incident["verdict"], now = NOW): Incident {
  const hit = { rule, version: 1, mode: "enforce" as const, verdict, observed: 2, threshold: 1, window: 1 };
  const [incident] = log.note(
    { verdict, hits: [{ ...hit, events: [1] }] },
    { principal: "somebody", tool: "get_customer", correlationId: "ref-1" },
    now,
  );
  if (incident === undefined) throw new Error("no incident");
  return incident;
}

/**
 * Fills the log to its limit. D1 has all of them, and the webhook all but the second. Returns the rules'
 * names.
 */
function fill(log: CallerIncidents, verdict: Incident["verdict"]): string[] {
  for (let index = 0; index < HELD_MAX; index++) speak(log, `first-${index}`, verdict);
  for (const each of log.unwritten()) log.noteDelivered(each, "database");
  for (const each of log.unsent()) if (each.rule !== "first-1") log.noteDelivered(each, "everybody");
  return log.open().map(({ rule }) => rule);
}

it("drops fully delivered incidents first, minor before severe, then the oldest", async () => {
  const left = await inLog((log) => {
    speak(log, "asks", "confirm");
    speak(log, "blocks", "block");
    for (let index = 2; index < HELD_MAX; index++) speak(log, `flags-${index}`, "flag");
    for (const each of log.unwritten()) log.noteDelivered(each, "database");
    for (const each of log.unsent()) if (each.rule !== "flags-2") log.noteDelivered(each, "everybody");
    for (let index = 0; index < HELD_MAX - 3; index++) speak(log, `new-${index}`, "flag");
    const before = [...logged];
    speak(log, "new", "flag");
    return { before, rules: log.open().map(({ rule }) => rule) };
  });
  expect(left.before).toEqual([]);
  expect(left.rules.slice(0, 3)).toEqual(["asks", "flags-2", "new-0"]);
  expect(logged).toEqual([]);
});

it("drops an incident that the webhook lacks with a log line, and before one that D1 lacks", async () => {
  const left = await inLog((log) => {
    speak(log, "asks", "confirm");
    speak(log, "written", "block");
    for (const each of log.unwritten()) log.noteDelivered(each, "database");
    for (let index = 2; index <= HELD_MAX; index++) speak(log, `new-${index}`, "flag");
    const first = logged.join();
    speak(log, "last", "flag");
    return { first, rules: log.open().map(({ rule }) => rule) };
  });
  expect(left.first).toContain("incident_untold");
  expect(left.rules).toHaveLength(HELD_MAX);
  expect(left.rules.slice(0, 2)).toEqual(["asks", "new-3"]);
  expect(logged[1]).toMatch(/incident_lost.*new-2/);
});

it("drops an incident that a later one of its rule closes, and no other", async () => {
  const { before, after } = await inLog((log) => {
    const asked = fill(log, "confirm");
    speak(log, "first-0", "confirm", NOW + DAY_MS);
    return { before: asked, after: log.open().map(({ rule }) => rule) };
  });
  expect(after.toSorted()).toEqual(before.toSorted());
});

it("drops an incident that asks a person last: the oldest, with a log line, if there is nothing else", async () => {
  const { asked, left } = await inLog((log) => {
    const before = fill(log, "confirm");
    speak(log, "new", "confirm");
    return { asked: before, left: log.open().map(({ rule }) => rule) };
  });
  expect(left).toEqual([...asked.slice(1), "new"]);
  expect(logged.join()).toMatch(/incident_lost.*first-0/);
});

it("writes a continued incident with its current count, and does not tell the webhook again", async () => {
  const { counts, outdated, unsent } = await inLog((log) => {
    for (let time = 0; time < 3; time++) speak(log, "slows", "throttle", NOW + time);
    expect(log.outdatedInDatabase()).toEqual([]);
    for (const each of log.unwritten()) log.noteDelivered(each, "database");
    for (const each of log.unsent()) log.noteDelivered(each, "everybody");
    const found = log.outdatedInDatabase();
    for (const each of found) log.noteCountWritten(each);
    return {
      counts: found.map(({ count }) => count),
      outdated: log.outdatedInDatabase(),
      unsent: log.unsent(),
    };
  });
  expect({ counts, outdated, unsent }).toEqual({ counts: [3], outdated: [], unsent: [] });
});
