import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deadline, GRACE_MS } from "../../src/deadlines.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
const never = () => new Promise<never>(() => {});
const after = (ms: number) => () => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** Returns a function that says how a wait ended, once it has. */
function ended(wait: Promise<unknown>): () => string | undefined {
  let how: string | undefined;
  wait.then(
    () => (how = "done"),
    (error: unknown) => (how = error instanceof Error ? `${error.name}: ${error.message}` : "?"),
  );
  return () => how;
}
const OVER = "RequestOver: the request took longer than 5000 ms";
const GONE = "RequestOver: the client disconnected";
const LATE = "TooLate: no answer in time";

describe("the deadline of a request", () => {
  it("is shared by steps that run one after the other", async () => {
    const deadline = new Deadline(5_000);
    const first = deadline.run(after(4_900));
    await vi.advanceTimersByTimeAsync(4_900);
    await first;
    expect(deadline.remaining()).toBe(100);
    const second = ended(deadline.run(after(4_900)));
    await vi.advanceTimersByTimeAsync(99);
    expect(second()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(second()).toBe(OVER);
  });

  it("is shared by parallel steps, and starts none after it has passed", async () => {
    const deadline = new Deadline(5_000);
    const work = ended(deadline.run(never));
    const quick = ended(deadline.within(20, never));
    const step = ended(deadline.within(3_000, never));
    const answer = ended(deadline.answer(never));
    await vi.advanceTimersByTimeAsync(20);
    expect([work(), quick(), step(), answer()]).toEqual([undefined, LATE, undefined, undefined]);
    await vi.advanceTimersByTimeAsync(2_980);
    expect([work(), step(), answer()]).toEqual([undefined, LATE, undefined]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([work(), answer()]).toEqual([OVER, undefined]);
    const begun = vi.fn<() => Promise<void>>();
    await expect(deadline.run(begun)).rejects.toThrow("took longer");
    await expect(deadline.within(10, begun)).rejects.toThrow("took longer");
    expect(begun).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(GRACE_MS);
    expect(answer()).toBe(OVER);
    // No timer is left.
    expect(vi.getTimerCount()).toBe(0);
  });

  it("uses one timer, however many steps wait", async () => {
    const deadline = new Deadline(5_000);
    const waits = Array.from({ length: 100 }, () => deadline.within(3_000, async () => 1));
    expect(vi.getTimerCount()).toBe(1);
    await Promise.all(waits);
    expect(vi.getTimerCount()).toBe(1);
  });

  it("ends work when the client disconnects, and lets the steps that record it finish", async () => {
    const deadline = new Deadline(5_000);
    const settled = vi.fn<() => void>();
    const kept = deadline.keep(async () => {
      await deadline.run(never).catch(() => {});
      await deadline.within(3_000, after(500));
      settled();
    });
    const work = ended(deadline.run(never));
    const abandoned = ended(deadline.abandon());
    await vi.advanceTimersByTimeAsync(499);
    expect([work(), abandoned()]).toEqual([GONE, undefined]);
    await vi.advanceTimersByTimeAsync(1);
    await kept;
    expect(settled).toHaveBeenCalledOnce();
    expect(abandoned()).toBe("done");
    expect(ended(deadline.run(never))).not.toBe("done");
    await expect(deadline.run(never)).rejects.toThrow("the client disconnected");
  });

  it("passes on thrown errors, at once or later, and ignores a late answer", async () => {
    const deadline = new Deadline(1_000);
    await expect(deadline.run(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    const throws = () => {
      throw new Error("at once");
    };
    await expect(deadline.within(10, throws)).rejects.toThrow("at once");
    const late = ended(deadline.run(after(1_100)));
    await vi.advanceTimersByTimeAsync(1_200);
    expect(late()).toBe("RequestOver: the request took longer than 1000 ms");
  });
});

it.each([
  ["back", -3_600_000, 5_000],
  ["ahead", 3_600_000, 4_000],
])("a clock that is set %s moves a deadline by no more than a second", async (_, by, over) => {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let jump = 0;
  let at = 1_000_000;
  vi.spyOn(performance, "now").mockImplementation(() => at + jump);
  const pass = async (ms: number) => {
    for (let gone = 0; gone < ms; gone += 100) {
      at += 100;
      await vi.advanceTimersByTimeAsync(100);
    }
  };
  const deadline = new Deadline(5_000);
  const work = ended(deadline.run(never));
  await pass(500);
  jump = by;
  await pass(over - 600);
  expect(work()).toBeUndefined();
  await pass(1_000);
  expect(work()).toBe(OVER);
});
