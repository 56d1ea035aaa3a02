import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Deadline, RequestOver } from "../../../src/deadlines.ts";
import { EMPTY_RESULT, type GuardedCall } from "../../../src/guard/guarded-call.ts";
import { Turns } from "../../../src/guard/turns.ts";
import { ok } from "../../../src/refusal.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const call = (place: number): GuardedCall => ({
  correlationId: `request/${place}`,
  target: { kind: "tool", name: "query_stock", bucket: "calls", access: undefined, labels: undefined },
  args: {},
  refused: {},
});
const DONE = { ...EMPTY_RESULT, outcome: "ok", durationMs: 1 } as const;

/** Asks for `count` calls at once; `begun` has their places as they are decided. */
function begin(count: number, { atOnce = 2, deadlineMs = 5_000 } = {}) {
  const begun: string[] = [];
  const turns = new Turns({
    atOnce,
    deadline: new Deadline(deadlineMs),
    decide: async (calls) => {
      begun.push(...calls.map(({ call: { correlationId } }) => correlationId.replace("request/", "")));
      return calls.map(() => ok({ settle: async () => ok(undefined) }));
    },
  });
  const admissions = Array.from({ length: count }, (_, place) =>
    turns.decideInTurn({ call: call(place), local: {}, weight: 1 }),
  );
  return { begun, admissions };
}

it("starts the next call when one is settled, after a pause for other requests", async () => {
  const { begun, admissions } = begin(6);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(["0", "1"]);
  const first = await admissions[0];
  if (first?.ok !== true) throw new Error("The first call was refused.");
  await first.value.settle(DONE);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(["0", "1"]);
  await vi.advanceTimersByTimeAsync(5);
  expect(begun).toEqual(["0", "1", "2"]);
});

it("starts the next calls when those before them still wait for a database far away", async () => {
  const { begun } = begin(60);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(begun).toHaveLength(60);
});

it("refuses as over a call that has no turn when the request ends", async () => {
  const { begun, admissions } = begin(6, { deadlineMs: 20 });
  const ended = Promise.allSettled(admissions.slice(2));
  await vi.advanceTimersByTimeAsync(1_000);
  for (const outcome of await ended)
    expect(outcome).toEqual({ status: "rejected", reason: expect.any(RequestOver) });
  expect(begun).toEqual(["0", "1"]);
});
