import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { policyPage } from "../../../src/admin/pages/policy.tsx";
import { addUp, readRuleHits } from "../../../src/admin/rule-hits.ts";
import type { SignedIn } from "../../../src/identity/sessions.ts";
import { countHits } from "../../../src/windows/overview.ts";
import { newObject } from "../support/admission.ts";
import { policyWith, recordsOf } from "../support/caller.ts";
import { stop } from "./support.ts";

const shadow = { rule: "people", mode: "shadow" as const, verdict: "confirm" };
const DAY = 24 * 60 * 60 * 1000;

it("hits are added up over callers, by rule, mode and verdict", () => {
  const enforced = { ...shadow, mode: "enforce" as const, calls: 1 };
  expect(addUp([[{ ...shadow, calls: 2 }, enforced], [], [{ ...shadow, calls: 3 }]])).toEqual([
    { ...shadow, calls: 5, callers: 2 },
    { ...enforced, callers: 1 },
  ]);
});

it("the audits of the last day's callers say how often a rule spoke", async () => {
  const caller = newObject();
  await stop(caller);
  await caller.object.anchor();
  const { hits, callersRead, callersSeen } = await readRuleHits(env, Date.now());
  expect(hits).toEqual([{ rule: "people", mode: "enforce", verdict: "confirm", calls: 1, callers: 1 }]);
  expect([callersRead, callersSeen]).toEqual([1, 1]);
  expect(await caller.object.ruleHits(Date.now() + DAY)).toEqual([]);
  expect(countHits(await recordsOf(caller.object))).toMatchObject([{ rule: "people", calls: 1 }]);
});

it("the policy's page says what shadow rules would have done, and over what time", async () => {
  const rules = policyWith({}).rules.map((rule) => ({ ...rule, mode: "shadow" as const }));
  const admin: SignedIn = {
    credential: { keyId: "key-1" },
    user: { userId: "ada", name: "Ada", kind: "user", roles: ["admin"], customerId: undefined },
    narrowed: false,
    signedInAt: 0,
    interactive: false,
  };
  const hits = [{ ...shadow, calls: 5, callers: 2 }];
  const spoken = { hits, sinceMs: DAY, callersRead: 50, callersSeen: 60 };
  const html = await (await policyPage({ admin, policy: policyWith({ rules }), spoken })).text();
  expect(html).toContain(
    "people would have spoken 5 times, 2 callers: a call past it needs a person&#39;s answer.",
  );
  expect(html).toContain("canary would have stayed silent.");
  expect(html).toContain("50 of the 60 callers");
});
