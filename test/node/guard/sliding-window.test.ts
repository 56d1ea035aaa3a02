import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { charge, emptyWindow, fitsAt } from "../../../src/caller/rate/sliding-window.ts";

// An oracle that remembers everything and does not share the window's algorithm: it sums over (now -
// windowMs, now] anew each time.

const windowMs = 60_000;
interface Admitted {
  at: number;
  weight: number;
}
const within = (admitted: Admitted[], now: number, length = windowMs) =>
  admitted.filter(({ at }) => at > now - length && at <= now).reduce((sum, { weight }) => sum + weight, 0);

/**
 * Pauses in milliseconds: bursts, quiet periods, the exact edges of the window, and clocks that were set
 * back.
 */
const step = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 2_000 }) },
  { weight: 2, arbitrary: fc.constantFrom(windowMs - 1, windowMs, windowMs + 1, windowMs / 2) },
  { weight: 1, arbitrary: fc.integer({ min: -90_000, max: -1 }) },
);
const asked = fc.record({ step, weight: fc.integer({ min: 1, max: 7 }) });
const traffic = fc.record({
  max: fc.integer({ min: 7, max: 40 }),
  calls: fc.array(asked, { minLength: 1, maxLength: 150, size: "max" }),
});

describe("the sliding window", () => {
  it("admits exactly the charges that an oracle admits, and predicts the next admission to the millisecond", () => {
    const seen = { admitted: 0, refused: 0 };
    fc.assert(
      fc.property(traffic, ({ max, calls }) => {
        const limit = { max, windowMs };
        const window = emptyWindow();
        const admitted: Admitted[] = [];
        let machine = 1_800_000_000_000;
        let clock = machine;
        for (const { step: ms, weight } of calls) {
          machine += ms;
          clock = Math.max(clock, machine);
          const freeAt = fitsAt(window, weight, limit, clock);
          const fits = within(admitted, clock) + weight <= max;
          expect(freeAt <= clock).toBe(fits);
          if (fits) {
            expect(freeAt).toBe(clock);
            charge(window, weight, clock);
            admitted.push({ at: clock, weight });
            seen.admitted += 1;
          } else {
            expect(within(admitted, freeAt - 1) + weight).toBeGreaterThan(max);
            expect(within(admitted, freeAt) + weight).toBeLessThanOrEqual(max);
            expect(fitsAt(structuredClone(window), weight, limit, freeAt - 1)).toBe(freeAt);
            expect(fitsAt(structuredClone(window), weight, limit, freeAt)).toBe(freeAt);
            seen.refused += 1;
          }
          expect(window.total).toBe(within(admitted, clock));
          expect(window.times.length).toBeLessThanOrEqual(max);
        }
        // A stretch that breaks the limit contains one that ends at a charge and breaks it too.
        for (const { at } of admitted) expect(within(admitted, at)).toBeLessThanOrEqual(max);
      }),
      { numRuns: 300 },
    );
    expect(seen.admitted).toBeGreaterThan(1_000);
    expect(seen.refused).toBeGreaterThan(1_000);
  }, 20_000);

  it("never admits a charge above the limit", () => {
    expect(fitsAt(emptyWindow(), 6, { max: 5, windowMs }, 1_000)).toBe(Infinity);
  });

  it("waits until enough has left if a limit was lowered", () => {
    const window = emptyWindow();
    for (const at of [0, 10, 20, 30]) charge(window, 1, at);
    expect(fitsAt(window, 1, { max: 2, windowMs: 100 }, 40)).toBe(120);
  });

  it("counts a charge up to the last millisecond of its window, and not at the next", () => {
    const window = emptyWindow();
    charge(window, 5, 1_000);
    const limit = { max: 5, windowMs };
    expect(fitsAt(window, 1, limit, 1_000 + windowMs - 1)).toBe(1_000 + windowMs);
    expect(fitsAt(window, 1, limit, 1_000 + windowMs)).toBe(1_000 + windowMs);
    expect(window).toEqual({ times: [], weights: [], total: 0 });
  });
});
