import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Nonces, createNonces } from "../../../src/caller/nonces.ts";

// Ahead of the machine's clock, which fires the runtime's alarms.
const NOW = 1_900_000_000_000;
const spent = (nonce: string, expiresAt = NOW + 65_000, keyId = "sign-1") => ({ keyId, nonce, expiresAt });

let count = 0;
const newObject = () => env.USER_WINDOWS.getByName(`nonces-${(count += 1)}`);

/** Runs `work` with nonces in a real object's storage. */
const inStorage = <T>(work: (nonces: Nonces, sql: SqlStorage) => T, max?: number): Promise<T> =>
  runInDurableObject(newObject(), (_, { storage: { sql } }) => work(createNonces(sql, max), sql));

describe("a nonce", () => {
  it("is valid once, for each key", async () => {
    const answers = await inStorage((nonces) => [
      nonces.consume(spent("a"), NOW).status,
      nonces.consume(spent("a"), NOW + 1).status,
      nonces.consume(spent("a", NOW + 66_000), NOW + 1).status,
      nonces.consume(spent("b"), NOW + 1).status,
      nonces.consume(spent("a", undefined, "sign-2"), NOW + 1).status,
    ]);
    expect(answers).toEqual(["fresh", "used", "used", "fresh", "fresh"]);
  });

  it("that has expired is rejected, because it may have been dropped", async () => {
    const answers = await inStorage((nonces) => {
      const first = nonces.consume(spent("a", NOW), NOW);
      nonces.dropPast(NOW + 1);
      return [first.status, nonces.consume(spent("a", NOW), NOW + 1).status, nonces.emptyAt()];
    });
    expect(answers).toEqual(["fresh", "used", undefined]);
  });

  it("is kept to the last moment at which its signature is fresh", async () => {
    const answers = await inStorage((nonces, sql) => {
      nonces.consume(spent("a", NOW + 10), NOW);
      nonces.consume(spent("b", NOW + 20), NOW);
      nonces.dropPast(NOW + 10);
      const before = nonces.consume(spent("a", NOW + 10), NOW + 10).status;
      nonces.dropPast(NOW + 11);
      return [before, sql.exec("SELECT nonce FROM nonces").toArray(), nonces.emptyAt()];
    });
    expect(answers).toEqual(["used", [{ nonce: "b" }], NOW + 21]);
  });

  it("waits if too many are fresh, until the next one expires", async () => {
    const answers = await inStorage((nonces) => {
      for (const at of [30, 10, 20]) nonces.consume(spent(`n${at}`, NOW + at), NOW);
      return [
        nonces.consume(spent("d"), NOW),
        nonces.consume(spent("d"), NOW + 10),
        nonces.consume(spent("d"), NOW + 11),
        nonces.consume(spent("e"), NOW + 11),
      ];
    }, 3);
    expect(answers).toEqual([
      { status: "full", retryAfterMs: 11 },
      { status: "full", retryAfterMs: 1 },
      { status: "fresh" },
      { status: "full", retryAfterMs: 10 },
    ]);
  });

  it("is accepted once, whatever happens around it", async () => {
    const step = fc.record({
      nonce: fc.constantFrom("a", "b", "c"),
      life: fc.integer({ min: -5, max: 20 }),
      wait: fc.integer({ min: 0, max: 10 }),
      drop: fc.boolean(),
    });
    await inStorage((_, sql) => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
          sql.exec("DROP TABLE IF EXISTS nonces");
          // Rebuilt each time, as after an eviction.
          const taken = new Map<string, number>();
          let now = NOW;
          for (const { nonce, life, wait, drop } of steps) {
            now += wait;
            const nonces = createNonces(sql, 2);
            if (drop) nonces.dropPast(now);
            const { status } = nonces.consume(spent(nonce, now + life), now);
            if (status !== "fresh") continue;
            // No second use is accepted while the signature that spent the nonce is fresh.
            expect(taken.get(nonce) ?? 0).toBeLessThan(now);
            taken.set(nonce, now + life);
          }
        }),
      );
    });
  });
});

describe("the caller's object", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
  afterEach(() => void vi.useRealTimers());

  it("accepts a nonce once of ten at a time", async () => {
    const object = newObject();
    const answers = await Promise.all(Array.from({ length: 10 }, () => object.consumeNonce(spent("a"))));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([
      "fresh",
      ...Array.from({ length: 9 }, () => "used"),
    ]);
  });

  it("remembers it after its memory is gone", async () => {
    const object = newObject();
    expect(await object.consumeNonce(spent("a"))).toEqual({ status: "fresh" });
    await evictDurableObject(object);
    expect(await object.consumeNonce(spent("a"))).toEqual({ status: "used" });
  });

  it("drops it when it expires, and sleeps then", async () => {
    const object = newObject();
    await object.consumeNonce(spent("a"));
    const look = () =>
      runInDurableObject(object, async (_, { storage }) => ({
        nonces: storage.sql.exec("SELECT nonce FROM nonces").toArray().length,
        alarm: await storage.getAlarm(),
      }));
    expect(await look()).toEqual({ nonces: 1, alarm: NOW + 65_001 });
    vi.setSystemTime(NOW + 65_001);
    expect(await runDurableObjectAlarm(object)).toBe(true);
    expect(await look()).toEqual({ nonces: 0, alarm: null });
  });
});
