import { afterEach, expect, it, vi } from "vitest";
import { Deadline } from "../../src/deadlines.ts";
import { attempt, seenIn } from "../../src/mcp/call.ts";
import { ok } from "../../src/refusal.ts";

const newCall = () => ({ correlationId: "ref-1", deadline: new Deadline(20) });
afterEach(() => vi.restoreAllMocks());

it("measures an answer in UTF-8 bytes", () => {
  const answer = { name: "Größe 字 🎧" };
  const { bytes } = seenIn({ answer, records: 1 });
  expect(bytes).toBe(new TextEncoder().encode(JSON.stringify(answer)).length);
  expect(bytes).toBeGreaterThan(JSON.stringify(answer).length);
});

it("returns work that ends in time", async () => {
  expect(await attempt(newCall(), "quick", async () => ok(7))).toEqual({ ok: true, value: 7 });
});

it("answers longer work with a timeout, at once", async () => {
  const never = new Promise<never>(() => {});
  const started = Date.now();
  expect(await attempt(newCall(), "slow", () => never)).toMatchObject({
    ok: false,
    refusal: { code: "timeout" },
  });
  expect(Date.now() - started).toBeLessThan(2_000);
});

it.each([
  ["a bug", new Error("no such column: suplier SELECT secret"), "internal"],
  ["a value that is not an Error", "boom", "internal"],
  ["an unreachable database", new Error("D1_ERROR: Network connection lost."), "unavailable"],
  ["a busy database", new Error("D1 DB is overloaded. Too many requests queued."), "unavailable"],
])("turns %s into a refusal, and logs the cause alone", async (_, error, code) => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const outcome = await attempt(newCall(), "broken", () => Promise.reject(error));
  expect(outcome).toMatchObject({ ok: false, refusal: { code } });
  expect(JSON.stringify(outcome)).not.toMatch(/suplier|SELECT|boom|D1/);
  expect(logged.mock.calls.flat().join()).toContain('"correlation_id":"ref-1"');
  expect(logged.mock.calls.flat().join()).toContain(error instanceof Error ? error.message : error);
});
