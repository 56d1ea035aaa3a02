import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { within } from "../../../src/deadlines.ts";
import { noteIdentity } from "../../../src/identity/changes.ts";
import { reportUnexpected } from "../../../src/mcp/call.ts";
import { Unreachable } from "../../../src/unreachable.ts";
import { recordsOf } from "../support/caller.ts";
import { failing } from "../support/failing-callers.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
const never = () => new Promise<never>(() => {});

/** Stubs that fail to record as told. */
const unnoting = (failure: () => Promise<void>) => failing("noteIdentity", failure).callers;
const added = { change: "user_added", by: "admin" } as const;
const revoked = { change: "key_revoked", by: "admin" } as const;

it("a new stub records an administrator's change if the first one's object was reset", async () => {
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

it("an object that never answers delays nobody: after three seconds the call is unavailable, and the cause is logged", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const noted = noteIdentity(unnoting(never), "somebody", added, "before").catch((error: unknown) => error);
  vi.advanceTimersByTime(3_000);
  const error = await noted;
  expect(error).toBeInstanceOf(Unreachable);
  expect(reportUnexpected(error, { correlationId: "ref-1" }, "/admin/api/users")).toMatchObject({
    code: "unavailable",
  });
  expect(logged.mock.calls.flat().join()).toContain("TooLate");
});

it("a change that was already made is recorded by a busy object after the timeout", async () => {
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
  vi.advanceTimersByTime(3_000);
  expect(await noted).toBeUndefined();
  vi.useRealTimers();
  free();
  await vi.waitFor(async () =>
    expect(await recordsOf(object)).toMatchObject([{ kind: "change", ...revoked }]),
  );
});

it("a change that was made but cannot be recorded is reported as unavailable", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const away = unnoting(() => Promise.reject(new Error("away")));
  await expect(noteIdentity(away, "somebody", revoked, "after")).rejects.toThrow(Unreachable);
  expect(logged.mock.calls.flat().join()).toContain('"what":"note"');
});

it("leaves no timer behind, whether work ends, throws, or times out", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  expect(await within(1_000, async () => 7)).toBe(7);
  await expect(within(1_000, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  const thrown = within(1_000, () => {
    throw new Error("at once");
  });
  await expect(thrown).rejects.toThrow("at once");
  expect(vi.getTimerCount()).toBe(0);
});
