import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { recordingOfAudit } from "../../../cli/replay/read-audit.ts";
import { limitedBy } from "../../../cli/replay/rate.ts";
import { limitOf } from "../../../src/policy/roles.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { admission, newObject } from "../support/admission.ts";
import { recordsOf } from "../support/caller.ts";

const NOW = 1_800_000_000_000;
const ROLES = ["shopper"];

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => void vi.useRealTimers());

it("a replay of an audit's rate windows refuses what the object refused", async () => {
  const { principal, object } = newObject();
  const { max, window_s } = limitOf(policyInForce(), ROLES, "calls");
  const limit = { max, windowMs: window_s * 1_000 };
  const refused: number[] = [];
  let [attempts, counted] = [0, 0];
  for (let second = 0; second < 150; second++) {
    vi.setSystemTime(NOW + second * 1_000);
    for (let call = 0; call < 3; call++) {
      // Some calls are refused for another reason; they are charged, and repeats are only counted.
      const isDenied = (second + call) % 7 === 0;
      const given = isDenied ? { refused: { permission: "permission_denied" as const } } : {};
      const answer = await object.admit(admission(principal, { limit, attempt: { roles: ROLES }, ...given }));
      attempts += 1;
      if (!answer.admitted && answer.stage === "rate") counted += 1;
    }
  }
  const records = await recordsOf(object);
  for (const record of records)
    if (record.kind === "attempt" && record.decision === "rate_limited") refused.push(record.seq);
  const { rate } = recordingOfAudit(principal, records);
  expect([...limitedBy(policyInForce(), rate.events)]).toEqual(refused);
  expect(refused.length).toBeGreaterThan(1);
  expect(counted).toBeGreaterThan(refused.length);
  expect(attempts).toBe(450);
});
