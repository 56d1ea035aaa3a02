import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createStore } from "../../../src/windows/store.ts";
import type { UserWindows } from "../../../src/windows/user-windows.ts";
import { WINDOW_MS, admission, newObject, settlement } from "../support/admission.ts";

const NOW = 1_800_000_000_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("attempts by number", () => {
  const CALLS = 1_000;

  it("come with their outcomes, and what lies between them is not read", async () => {
    const { principal, object } = newObject();
    const limit = { max: 2 * CALLS, windowMs: WINDOW_MS };
    await runInDurableObject(object, (instance: UserWindows, { storage }) => {
      const admit = (changes = {}) => {
        const answer = instance.admit(admission(principal, { limit, ...changes }));
        return answer.admitted ? answer.seq : 0;
      };
      // Side by side, settled the other way round.
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
      // Pruned by now, or of another chain.
      expect(store.attemptsOf([1_000_000])).toEqual([]);
    });
  });
});
