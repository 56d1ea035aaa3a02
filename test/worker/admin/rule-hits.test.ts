import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { policyPage } from "../../../src/web/admin/policy-page.tsx";
import { addUp, readRuleHits } from "../../../src/admin/rule-hits.ts";
import type { SignedIn } from "../../../src/identity/sessions.ts";
import { countRuleHits } from "../../../src/caller/overview.ts";
import { admission, newObject } from "../support/admission.ts";
import { policyWith, recordsOf } from "../support/caller.ts";
import { stop } from "./support.ts";

const shadow = { rule: "people", mode: "shadow" as const, verdict: "confirm" };
const DAY = 24 * 60 * 60 * 1000;

it("adds up hits over callers, by rule, mode and verdict", () => {
  const enforced = { ...shadow, mode: "enforce" as const, calls: 1 };
  expect(addUp([[{ ...shadow, calls: 2 }, enforced], [], [{ ...shadow, calls: 3 }]])).toEqual([
    { ...shadow, calls: 5, callers: 2 },
    { ...enforced, callers: 1 },
  ]);
});

it("counts how often a rule matched from the audits of its callers", async () => {
  const caller = newObject();
  await stop(caller);
  await caller.object.anchor();
  const quiet = newObject();
  await quiet.object.admit(admission(quiet.principal));
  await quiet.object.anchor();
  const { totals, callers, callersRead } = await readRuleHits(env, Date.now());
  expect(totals).toEqual([{ rule: "people", mode: "enforce", verdict: "confirm", calls: 1, callers: 1 }]);
  expect([callers, callersRead]).toEqual([1, 1]);
  // Later records without a match change nothing.
  await caller.object.noteChange({ principal: caller.principal, decision: "enabled", by: "ada", note: null });
  await caller.object.anchor();
  expect(await readRuleHits(env, Date.now())).toMatchObject({ totals, callers: 1 });
  expect(await readRuleHits(env, Date.now() + 2 * DAY)).toMatchObject({ totals: [], callers: 0 });
  expect(await caller.object.ruleHits(Date.now() + DAY)).toEqual([]);
  expect(countRuleHits(await recordsOf(caller.object))).toMatchObject([{ rule: "people", calls: 1 }]);
});

it("shows on the policy page what shadow rules would have done, and over which period", async () => {
  const rules = policyWith({}).rules.map((rule) => ({ ...rule, mode: "shadow" as const }));
  const admin: SignedIn = {
    credential: { keyId: "key-1" },
    user: { userId: "ada", name: "Ada", kind: "user", roles: ["admin"], customerId: undefined },
    narrowed: false,
    signedInAt: 0,
    interactive: false,
  };
  const totals = [{ ...shadow, calls: 5, callers: 2 }];
  const report = { totals, periodMs: DAY, callers: 60, callersRead: 50 };
  const html = await (await policyPage({ admin, policy: policyWith({ rules }), report })).text();
  expect(html).toContain("people matched 5 times, 2 callers. If enforced, a call above it needs a decision.");
  expect(html).toContain("canary never matched.");
  expect(html).toContain("50 of the 60 callers");
});
