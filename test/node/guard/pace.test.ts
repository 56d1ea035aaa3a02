import { expect, it } from "vitest";
import { Pace } from "../../../src/guard/pace.ts";

const NOW = 1_000_000;
const options = { burst: 4, everyMs: 10 };
const WAIT_MAX_MS = 2_000;
const waits = (pace: Pace, caller: string, count: number, now = NOW) =>
  Array.from({ length: count }, () => pace.next(caller, now, WAIT_MAX_MS));

it("starts a burst at once and spreads the requests behind it", () => {
  const pace = new Pace(options);
  expect(waits(pace, "a", 7).map(({ waitMs }) => waitMs)).toEqual([0, 0, 0, 0, 10, 20, 30]);
});

it("gives the burst back as time passes", () => {
  const pace = new Pace(options);
  waits(pace, "a", 4);
  expect(waits(pace, "a", 3, NOW + 20).map(({ waitMs }) => waitMs)).toEqual([0, 0, 10]);
});

it("lets no caller wait for another", () => {
  const pace = new Pace(options);
  waits(pace, "a", 60);
  expect(pace.next("b", NOW, WAIT_MAX_MS).waitMs).toBe(0);
});

it("refuses what would wait too long, and lets that not lengthen the wait", () => {
  const pace = new Pace(options);
  const refused = waits(pace, "a", 1_000).filter(({ isTooLong }) => isTooLong);
  expect(refused).toHaveLength(1_000 - 204);
  expect(new Set(refused.map(({ waitMs }) => waitMs))).toEqual(new Set([2_010]));
  expect(pace.next("a", NOW + 20, WAIT_MAX_MS).isTooLong).toBe(false);
});

it("does not wait for a time that was set before the clock went back", () => {
  const pace = new Pace(options);
  waits(pace, "a", 100, NOW + 3_600_000);
  expect(pace.next("a", NOW, WAIT_MAX_MS).waitMs).toBe(0);
});

it("forgets the caller that was idle longest, so that a flood of callers can't grow it", () => {
  const pace = new Pace(options);
  waits(pace, "first", 100);
  for (let index = 0; index < 10_000; index++) pace.next(`caller-${index}`, NOW, WAIT_MAX_MS);
  expect(pace.next("first", NOW, WAIT_MAX_MS).waitMs).toBe(0);
});
