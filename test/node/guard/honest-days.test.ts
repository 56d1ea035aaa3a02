import { describe, expect, it } from "vitest";
import { policyInForce } from "../../../src/policy/bundled.ts";
import type { Policy } from "../../../src/policy/schema.ts";
import { type Person, dayOf, touchedBy } from "./support/days.ts";

const policy = policyInForce();
const DAY_MS = 24 * 60 * 60_000;

// Budgets that an isolate keeps are the module's own: each day is a day of its own.
let days = 0;
const nextDay = () => Date.UTC(2027, 0, 1, 8) + ++days * 2 * DAY_MS;

const times = (count: number, make: (index: number) => Person) =>
  Array.from({ length: count }, (_, index) => make(index));

const office = times(20, () => ({ address: "office", network: "office-24" }));

const OFFICE_DAY = { sessions: 6, together: [2, 6], seed: 7 };

/** Four addresses of one network; one user in five is signed in. */
const assistant = times(200, (index) => ({
  address: `assistant-${index % 4}`,
  network: "assistant-24",
  ...(index % 5 === 0 && { user: `user-${index}` }),
}));

/** With other limits for anonymous callers. */
function stricter(change: (role: Policy["roles"][string]) => Partial<Policy["roles"][string]>): Policy {
  const role = policy.roles["anonymous"];
  if (role === undefined) throw new Error("The policy has no role for anonymous callers.");
  return { ...policy, roles: { ...policy.roles, anonymous: { ...role, ...change(role) } } };
}

const countsOf = (touched: readonly string[]) =>
  Object.fromEntries([...Map.groupBy(touched, (each) => each)].map(([each, all]) => [each, all.length]));

// The smallest limits come with a small catalog; with a large one more products are seen.
describe.each([1_000, 20_000])(
  "a day over a catalog of %i products is worked through untouched",
  (catalog) => {
    it("by an office of twenty people without a name behind one address", () => {
      const day = dayOf(office, { ...OFFICE_DAY, catalog, begins: nextDay() });
      expect(day.length).toBeGreaterThan(1_500);
      expect(countsOf(touchedBy(policy, day, catalog))).toEqual({});
    });

    it("by a hosted assistant's two hundred people behind four addresses", () => {
      const day = dayOf(assistant, { sessions: 2, catalog, seed: 11, begins: nextDay() });
      expect(day.length).toBeGreaterThan(4_000);
      expect(countsOf(touchedBy(policy, day, catalog))).toEqual({});
    });
  },
);

describe("the same day is not untouched", () => {
  const catalog = 1_000;
  const office6 = () => dayOf(office, { ...OFFICE_DAY, catalog, begins: nextDay() });
  const reasons = (changed: Policy, day = office6()) => [
    ...new Set(touchedBy(changed, day, catalog).map((each) => each.split(" ").at(-1))),
  ];

  it("where an address has as few calls or lists as one person", () => {
    const few = { max: 10, window_s: 60 };
    expect(reasons(stricter(() => ({ limits: { calls: few, discovery: few } })))).toEqual(
      expect.arrayContaining(["rate", "discovery"]),
    );
  });

  it("where an address has as few products as one person", () => {
    const rules = policy.rules.map((rule) =>
      rule.id === "catalog-crawl" && rule.kind === "products" ? { ...rule, except_roles: [] } : rule,
    );
    expect(reasons({ ...policy, rules })).toContain("rule");
  });

  it("where somebody crawls from the same network", () => {
    const crawler = { address: "crawler", network: "office-24" };
    const begins = nextDay();
    const day = dayOf(office, { ...OFFICE_DAY, catalog, begins });
    const crawl = Array.from({ length: 600 }, (_, index) => ({
      at: begins + index * 1_000,
      person: crawler,
      tool: "get_product",
      args: { sku: `SKU-crawl-${index}` },
      found: [`SKU-crawl-${index}`],
    }));
    const all = [...day, ...crawl].toSorted((a, b) => a.at - b.at);
    expect(reasons(policy, all)).toContain("network");
  });
});
