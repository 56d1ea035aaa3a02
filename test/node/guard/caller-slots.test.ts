import { expect, it } from "vitest";
import { CallerSlots, type Slot } from "../../../src/guard/caller-slots.ts";

const NOW = 1_000_000;
const UNTIL = NOW + 5_000;

function taken(slot: Slot | undefined): Slot {
  if (slot === undefined) throw new Error("There was no slot.");
  return slot;
}

it("gives each caller so many slots, and others theirs", () => {
  const slots = new CallerSlots(2);
  const first = taken(slots.take("a", UNTIL, NOW));
  taken(slots.take("a", UNTIL, NOW));
  expect(slots.take("a", UNTIL, NOW)).toBeUndefined();
  taken(slots.take("b", UNTIL, NOW));
  first.free();
  taken(slots.take("a", UNTIL, NOW));
});

it("hands a freed slot to whoever waits longest, and nobody overtakes", () => {
  const slots = new CallerSlots(1);
  const running = taken(slots.take("a", UNTIL, NOW));
  const [first, second, third] = [1, 2, 3].map(() => slots.wait("a", UNTIL, NOW));
  expect([first, second, third].map((place) => place?.ahead)).toEqual([0, 1, 2]);
  second?.leave();
  expect(slots.take("a", UNTIL, NOW)).toBeUndefined();
  running.free();
  expect(third?.slot).toBeUndefined();
  expect(slots.take("a", UNTIL, NOW)).toBeUndefined();
  taken(first?.slot).free();
  taken(third?.slot);
  third?.leave();
  taken(slots.take("a", UNTIL, NOW));
});

it("counts a slot that is freed twice once", () => {
  const slots = new CallerSlots(1);
  const first = taken(slots.take("a", UNTIL, NOW));
  first.free();
  taken(slots.take("a", UNTIL, NOW));
  first.free();
  expect(slots.take("a", UNTIL, NOW)).toBeUndefined();
});

it("takes back the slots of a request that was killed, and gives them to those that wait", () => {
  const slots = new CallerSlots(1);
  taken(slots.take("a", UNTIL, NOW));
  const waiting = slots.wait("a", UNTIL + 5_000, NOW);
  expect(waiting.slot).toBeUndefined();
  expect(slots.take("a", UNTIL + 5_000, UNTIL)).toBeUndefined();
  taken(waiting.slot);
});
