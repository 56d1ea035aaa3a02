import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createStore } from "../../../src/caller/store.ts";
import type { CallerDO } from "../../../src/caller/caller-do.ts";
import { incidentOf } from "../support/incident.ts";
import { DAY_MS, WINDOW_MS, admission, newObject, settlement } from "../support/admission.ts";

const NOW = 1_800_000_000_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("attempts by number", () => {
  const CALLS = 1_000;

  it("come with their outcomes, and records between them are not read", async () => {
    const { principal, object } = newObject();
    const limit = { max: 2 * CALLS, windowMs: WINDOW_MS };
    await runInDurableObject(object, (instance: CallerDO, { storage }) => {
      const admit = (changes = {}) => {
        const answer = instance.admit(admission(principal, { limit, ...changes }));
        return answer.admitted ? answer.seq : 0;
      };
      // Parallel calls, settled in reverse order.
      const [first, second] = [admit(), admit()];
      for (const seq of [second, first]) instance.settle(settlement(seq));
      for (let call = 0; call < CALLS; call++) instance.settle(settlement(admit()));
      admit({ refused: { permission: "permission_denied" } });
      const refused = 2 * CALLS + 5;
      const unsettled = admit();

      const exec = vi.spyOn(storage.sql, "exec");
      const store = createStore(storage.sql);
      const found = store.attemptsOf([first, second, refused, unsettled]);
      const read = exec.mock.results.map(({ value }) => value.rowsRead).reduce((sum, rows) => sum + rows, 0);
      expect(read).toBeLessThan(50);
      expect(found.map(({ kind, seq }) => [kind, seq])).toEqual([
        ["attempt", first],
        ["attempt", second],
        ["attempt", refused],
        ["attempt", unsettled],
        ["outcome", 4],
        ["outcome", 3],
      ]);
      expect(store.attemptsOf([])).toEqual([]);
      // Already pruned, or of another chain.
      expect(store.attemptsOf([1_000_000])).toEqual([]);
    });
  });
});

describe("data of a later release", () => {
  const change = (object: DurableObjectStub<CallerDO>, ...statements: string[]) =>
    runInDurableObject(object, (_, { storage }) => {
      for (const statement of statements) storage.sql.exec(statement);
    });
  const incident = incidentOf({ first_at: NOW, last_at: NOW });
  const insert = (row: object) =>
    `INSERT INTO incidents (id, text, told) VALUES ('${crypto.randomUUID()}', '${JSON.stringify(row)}', 'everybody')`;

  it("with an additional field is read without it", async () => {
    const { principal, object } = newObject();
    const refused = () => admission(principal, { refused: { arguments: "invalid_arguments" } });
    for (const request of [refused(), refused()]) await object.admit(request);
    await change(
      object,
      insert({ ...incident, shade: "blue" }),
      "UPDATE state SET text = json_set(text, '$.shade', 'blue')",
      "UPDATE runs SET text = json_set(text, '$.shade', 'blue')",
    );
    await evictDurableObject(object);
    expect(await object.decidedWith("incident-1")).toEqual([incident]);
    expect(await object.admit(admission(principal))).toMatchObject({ admitted: true });
  });

  it("that this release cannot read costs the row and a log line, and no call", async () => {
    const { principal, object } = newObject();
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const refused = () => admission(principal, { refused: { arguments: "invalid_arguments" } });
    for (const request of [refused(), refused()]) await object.admit(request);
    await change(
      object,
      insert({ ...incident, id: "incident-0", verdict: "shame" }),
      insert(incident),
      "UPDATE runs SET text = json_set(text, '$.bucket', 'exports')",
    );
    await evictDurableObject(object);
    expect(await object.admit(admission(principal))).toMatchObject({ admitted: true });
    expect(await object.decidedWith("incident-1")).toEqual([incident]);
    expect(logged).toHaveBeenCalledTimes(2);
    expect(logged.mock.calls.join()).toMatch(/runs.*incidents/s);
  });
});

it("tables that could not all be created are created at the next try", async () => {
  const { principal, object } = newObject();
  await runInDurableObject(object, (_, { storage: { sql } }) => {
    const store = createStore(sql);
    const state = {
      principal,
      startedAt: NOW,
      checkpoint: { seq: 0, hash: "" },
      anchored: { seq: 0, at: 0 },
      retentionMs: DAY_MS,
      prunedAt: 0,
    };
    const exec = sql.exec.bind(sql);
    const full = vi.spyOn(sql, "exec").mockImplementation((query, ...values) => {
      if (query.includes("incidents")) throw new Error("SQLITE_FULL");
      return exec(query, ...values);
    });
    expect(() => store.saveState(state)).toThrow(/FULL/);
    full.mockRestore();
    store.saveState(state);
    expect(store.state()).toEqual(state);
  });
});
