import { expect, it } from "vitest";
import { LookupBudget } from "../../../src/http/limits/lookup-budget.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";

const NOW = 1_000_000;
const policy = policyInForce();
const { max } = policy.unauthenticated.failed_credentials;

/** Made-up credentials of an address, one after another; how many were looked up. */
function guess(budget: LookupBudget, id: string, network: string, count: number): number {
  let lookedUp = 0;
  for (let index = 0; index < count; index++) {
    const { waitMs, end } = budget.begin(`${id} ${index}`, { id, network }, policy, NOW);
    if (waitMs === 0) lookedUp += 1;
    end("bad", NOW);
  }
  return lookedUp;
}

it("lets an address have as many look-ups as the policy says, and its network ten times that", () => {
  const budget = new LookupBudget();
  expect(guess(budget, "one", "net", max + 50)).toBe(max);
  let all = max;
  for (let address = 0; address < 40; address++) all += guess(budget, `a${address}`, "net", max);
  expect(all).toBe(10 * max);
  expect(guess(budget, "elsewhere", "other", 10)).toBe(10);
});

it("looks up a credential that was good, whatever its address and network have done", () => {
  const budget = new LookupBudget();
  budget.begin("good", { id: "one", network: "net" }, policy, NOW).end("good", NOW);
  guess(budget, "one", "net", max);
  expect(budget.begin("good", { id: "one", network: "net" }, policy, NOW).waitMs).toBe(0);
  expect(budget.begin("new", { id: "one", network: "net" }, policy, NOW).waitMs).toBeGreaterThan(0);
});

it("takes back what nobody looked up", () => {
  const budget = new LookupBudget();
  for (let index = 0; index < 5 * max; index++)
    budget.begin(`page ${index}`, { id: "one", network: "net" }, policy, NOW).end("unasked", NOW);
  expect(budget.begin("next", { id: "one", network: "net" }, policy, NOW).waitMs).toBe(0);
});
