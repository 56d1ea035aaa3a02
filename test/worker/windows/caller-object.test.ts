import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { Deadlines, within } from "../../../src/deadlines.ts";
import { noteIdentity } from "../../../src/identity/changes.ts";
import { surprise } from "../../../src/mcp/call.ts";
import { Unreachable } from "../../../src/windows/caller-object.ts";
import { recordsOf } from "../support/caller.ts";
import { failing } from "../support/failing-windows.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
const never = () => new Promise<never>(() => {});

/** Stubs that note nothing but as they are told. */
const unnoting = (failure: () => Promise<void>) => failing("noteIdentity", failure).windows;
const added = { change: "user_added", by: "admin" } as const;
const revoked = { change: "key_revoked", by: "admin" } as const;

it("what administration notes is noted by a new stub where the first one's object was reset", async () => {
  const user = `noted-${crypto.randomUUID()}`;
  const reset = Object.assign(new Error("reset"), { remote: true, durableObjectReset: true });
  await noteIdentity(
    unnoting(() => Promise.reject(reset)),
    user,
    added,
    "before",
  );
  expect(await recordsOf(env.USER_WINDOWS.getByName(user))).toMatchObject([{ kind: "change", ...added }]);
});

it("an object that never answers holds nobody up: after three seconds that is unavailable, and its cause is logged", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const noted = noteIdentity(unnoting(never), "somebody", added, "before").catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(3_000);
  const error = await noted;
  expect(error).toBeInstanceOf(Unreachable);
  expect(surprise(error, { correlationId: "ref-1" }, "/admin/api/users")).toMatchObject({
    code: "unavailable",
  });
  expect(logged.mock.calls.flat().join()).toContain("TooLate");
});

it("what was done already is noted by an object that was busy for longer than anybody waits", async () => {
  const user = `noted-${crypto.randomUUID()}`;
  const object = env.USER_WINDOWS.getByName(user);
  let free = () => {};
  const busy = new Promise<void>((resolve) => (free = resolve));
  const slow = async () => {
    await busy;
    await object.noteIdentity({ principal: user, roles: null, key: "k1", customer: null, ...revoked });
  };
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const noted = noteIdentity(unnoting(slow), user, { ...revoked, key: "k1" }, "after");
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await noted).toBeUndefined();
  vi.useRealTimers();
  free();
  await vi.waitFor(async () =>
    expect(await recordsOf(object)).toMatchObject([{ kind: "change", ...revoked }]),
  );
});

it("what was done already, and can't be noted, is told as unavailable", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const away = unnoting(() => Promise.reject(new Error("away")));
  await expect(noteIdentity(away, "somebody", revoked, "after")).rejects.toThrow(Unreachable);
  expect(logged.mock.calls.flat().join()).toContain('"what":"note"');
});

it("waits behind each other have each its own limit, on one timer", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const deadlines = new Deadlines();
  expect(await deadlines.within(3_000, async () => 1)).toBe(1);
  await vi.advanceTimersByTimeAsync(2_500);
  const long = deadlines.within(5_000, never, () => "late");
  expect(vi.getTimerCount()).toBe(1);
  // The first wait's timer rings here, and finds that there is time left.
  await vi.advanceTimersByTimeAsync(4_999);
  const short = vi.fn<(text: string) => void>();
  void long.then(short);
  await vi.advanceTimersByTimeAsync(0);
  expect(short).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(short).toHaveBeenCalledWith("late");
  expect(vi.getTimerCount()).toBe(0);
});

it("a wait that is shorter than the one before is not as long as that", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const deadlines = new Deadlines();
  await deadlines.within(3_000, async () => 1);
  const late = deadlines.within(20, never, () => "late");
  await vi.advanceTimersByTimeAsync(20);
  expect(await late).toBe("late");
});

it.each([
  ["back", -3_600_000, 3_000 + 5_000],
  ["ahead", 3_600_000, 5_000],
])("a clock that is set %s moves a limit by less than the wait before was long", async (_, by, over) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let jump = 0;
  vi.spyOn(performance, "now").mockImplementation(() => 1_000_000 + jump);
  const deadlines = new Deadlines();
  await deadlines.within(3_000, async () => 1);
  const late = vi.fn<(text: string) => void>();
  void deadlines.within(5_000, never, () => "late").then(late);
  jump = by;
  // Right after the first wait: what is left when its timer rings is two seconds at least, and five at most.
  await vi.advanceTimersByTimeAsync(over - 1);
  expect(late).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(late).toHaveBeenCalledWith("late");
});

it("gives every try its own time, and is not troubled by an answer that comes too late", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const deadlines = new Deadlines();
  const lateAnswer = () => new Promise<string>((resolve) => setTimeout(() => resolve("first"), 4_000));
  const first = deadlines.within(3_000, lateAnswer, () => "late");
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await first).toBe("late");
  const over = vi.fn<(text: string) => void>();
  void deadlines.within(3_000, never, () => "late again").then(over);
  await vi.advanceTimersByTimeAsync(2_999);
  expect(over).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(over).toHaveBeenCalledWith("late again");
});

it("is for one wait at a time", async () => {
  const deadlines = new Deadlines();
  const first = deadlines.within(20, never, () => "late");
  await expect(deadlines.within(20, never)).rejects.toThrow("a wait that goes on");
  expect(await first).toBe("late");
});

it("leaves no timer behind, whether work ends, throws, or is given up", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  expect(await within(1_000, async () => 7)).toBe(7);
  await expect(within(1_000, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  const thrown = within(1_000, () => {
    throw new Error("at once");
  });
  await expect(thrown).rejects.toThrow("at once");
  expect(vi.getTimerCount()).toBe(0);
});
