import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { isMostlyRefused } from "../../../src/caller/audit/refusal-share.ts";
import { recordsOf } from "../support/caller.ts";
import { admission, newObject, settlement } from "../support/admission.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

const nothing = { classes: [], subjects: [], objects: [], neighbourhoods: [] };
const flowOf = (kind: "source" | "write") => ({
  ...nothing,
  kinds: [kind],
  cost: { records: 1, bytes: 10 },
  unnamed: { subject: false, objects: 0 },
});
const limit = { max: 1_000, windowMs: 60_000 };
const answered = { subjects: [], objects: [], missed: false, tainted: false, canary: false };

/** Creates a caller that has read text like an instruction. Returns its object and functions for further calls. */
async function tainted() {
  const { principal, object } = newObject();
  const admit = (kind: "source" | "write", more: object = {}) =>
    object.admit(admission(principal, { limit, attempt: { name: kind, flow: flowOf(kind) }, ...more }));
  const read = await admit("source");
  if (!read.admitted) throw new Error("refused");
  await object.settle({ ...settlement(read.seq), flow: { ...answered, tainted: true } });
  const agreed = () => ({
    agreed: { nonce: crypto.randomUUID(), expiresAt: Date.now() + 60_000, askedAt: Date.now() },
  });
  return { object, admit, agreed };
}

it("an accepted form allows its own write, and no other of the same millisecond", async () => {
  const { object, admit, agreed } = await tainted();
  // The clock stands still in this test.
  expect((await admit("write")).admitted).toBe(false);
  const released = await admit("write", agreed());
  expect(released.admitted).toBe(true);
  expect((await admit("write")).admitted).toBe(false);
  const decision = (await recordsOf(object)).find((record) => record.kind === "decision");
  expect(decision?.seq).toBe(released.admitted ? released.seq - 1 : 0);
});

it("an accepted form counts when the clock has gone back", async () => {
  const { admit, agreed } = await tainted();
  expect((await admit("write")).admitted).toBe(false);
  vi.setSystemTime(Date.now() - 3_600_000);
  // The time of the object's own clock, which never goes back.
  const askedAt = Date.now() + 3_600_000;
  const form = { ...agreed().agreed, askedAt, expiresAt: askedAt + 60_000 };
  expect((await admit("write", { agreed: form })).admitted).toBe(true);
  expect((await admit("write")).admitted).toBe(false);
});

it("counts refused calls as the metrics do: what was not found too, and no lists", async () => {
  const { principal, object } = newObject();
  const code = ["ok", "not_found", "internal", "not_found"];
  for (const outcome of code) {
    const answer = await object.admit(admission(principal, { limit }));
    if (answer.admitted) await object.settle({ ...settlement(answer.seq), outcome });
  }
  const list = { target: "discovery" as const, name: "tools/list", bucket: "discovery" as const };
  await object.admit(admission(principal, { limit, attempt: list }));
  const overview = await object.overview({ calls: limit.windowMs, discovery: limit.windowMs });
  expect(overview.refusals).toEqual({ calls: 4, refused: 2 });
});

it("says that a caller's calls are mostly refused, including repeated refusals", async () => {
  const { principal, object } = newObject();
  const call = (refused: object) => object.admit(admission(principal, { limit, refused }));
  const refusals = async () =>
    (await object.overview({ calls: limit.windowMs, discovery: limit.windowMs })).refusals;
  expect(isMostlyRefused(await refusals())).toBe(false);
  for (let index = 0; index < 2; index++) await call({});
  for (let index = 0; index < 8; index++) await call({ permission: "permission_denied" });
  expect(await refusals()).toEqual({ calls: 10, refused: 8 });
  expect(isMostlyRefused(await refusals())).toBe(true);
  vi.setSystemTime(Date.now() + 2 * 3_600_000);
  expect(await refusals()).toEqual({ calls: 0, refused: 0 });
});
