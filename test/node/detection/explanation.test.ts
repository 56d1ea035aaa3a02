import { describe, expect, it } from "vitest";
import type { FlowDetail } from "../../../src/detection/details.ts";
import { FlowState } from "../../../src/detection/state/state.ts";
import { toFlowCall } from "../../../src/caller/detection/call-event.ts";
import { explanationBy } from "../../../src/detection/kinds/explanation.ts";
import { EXPLANATION } from "../../../src/detection/state/subjects.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { detailsNamed, detailsShown } from "../../../src/support/details.ts";
import { Caller, HOUR, MINUTE, rulesOf } from "./support/calls.ts";

const KEY = "k".repeat(32);
const rules = rulesOf({
  kind: "subjects",
  unexplained: { emails_a_day: 2 },
  limits: [
    { window: "10m", max: 1 },
    { window: "24h", max: 3 },
  ],
});
const found = (by: FlowDetail["by"], person: string) => ({
  tool: "search_customers",
  details: [{ by, tokens: [`${by} ${person}`] }],
});
const byId = (person: string) => ({ tool: "get_customer", subjects: [person] });

/** Searches for a person by a detail, and returns the verdict. */
const find = (caller: Caller, by: FlowDetail["by"], person: string) =>
  caller.do(found(by, person), { subjects: [person] }).verdict;

describe("a rule about unexplained people", () => {
  it("counts people who are read by id alone", () => {
    const caller = new Caller(rules);
    expect(caller.do(byId("a")).verdict).toBe("allow");
    expect(caller.do(byId("b")).verdict).toBe("confirm");
    expect(caller.do(byId("a")).verdict).toBe("allow");
  });

  it.each(["phone", "name_postcode", "order_name"] as const)(
    "does not count people who are found by %s, whatever is read of them then",
    (by) => {
      const caller = new Caller(rules);
      for (let person = 0; person < 20; person++) {
        expect(find(caller, by, `p${person}`)).toBe("allow");
        expect(caller.do(byId(`p${person}`)).verdict).toBe("allow");
      }
    },
  );

  it("takes an email address as an explanation for so many people a day", () => {
    const caller = new Caller(rules);
    expect(["a", "b", "c", "d"].map((person) => find(caller, "email", person))).toEqual([
      "allow",
      "allow",
      "allow",
      "confirm",
    ]);
    caller.now += 24 * HOUR;
    expect(find(caller, "email", "e")).toBe("allow");
    expect(find(caller, "email", "f")).toBe("allow");
  });

  it("is not satisfied by a look-up after the first reading", () => {
    const caller = new Caller(rules);
    caller.do(byId("a"));
    expect(find(caller, "phone", "a")).toBe("allow");
    expect(caller.do(byId("b")).verdict).toBe("confirm");
  });

  it("is not satisfied by a detail that an answer had shown, for a day", () => {
    const caller = new Caller(rules);
    caller.do({ tool: "get_ticket" }, { subjects: ["a"], shown: ["phone b", "phone c"] });
    expect(find(caller, "phone", "b")).toBe("confirm");
    expect(find(caller, "phone", "d")).toBe("allow");
    caller.now += 23 * HOUR;
    expect(find(caller, "phone", "b")).toBe("allow");
    expect(find(caller, "phone", "c")).toBe("confirm");
    caller.now += 25 * HOUR;
    caller.do({ tool: "get_ticket" }, { subjects: ["a"], shown: ["phone z"] });
    caller.now += 25 * HOUR;
    expect(find(caller, "phone", "b")).toBe("allow");
  });

  it("does not note what a withheld answer would have shown", () => {
    const caller = new Caller(rules);
    caller.do(byId("a"));
    expect(caller.do({ tool: "get_ticket" }, { subjects: ["b"], shown: ["phone c"] }).verdict).toBe(
      "confirm",
    );
    expect(caller.state.shown.has("phone c")).toBe(false);
  });

  it("does not count the customer of a ticket that is assigned to the caller", () => {
    const caller = new Caller(rules);
    const ticket = { tool: "get_ticket", explains: true };
    for (let turn = 0; turn < 9; turn++)
      expect(caller.do(ticket, { subjects: [`p${turn}`], explained: [`p${turn}`] }).verdict).toBe("allow");
    expect(caller.do(ticket, { subjects: ["x"] }).verdict).toBe("allow");
    expect(caller.do(ticket, { subjects: ["y"] }).verdict).toBe("confirm");
    // A ticket that does not exist is judged as a stranger's, so the refusal tells nothing.
    expect(caller.do(ticket, { subjects: [], missed: true }).verdict).toBe("confirm");
  });

  it("lets searches that are explained run beside each other", () => {
    const caller = new Caller(rules);
    const calls = Array.from({ length: 12 }, (_, person) => caller.admit(found("phone", `p${person}`)));
    expect(calls.map(({ decision }) => decision.verdict)).toEqual(calls.map(() => "allow"));
    calls.forEach(({ call }, person) =>
      expect(caller.settle(call, { subjects: [`p${person}`] }).verdict).toBe("allow"),
    );
  });

  it("decides the same from its stored rows", () => {
    const caller = new Caller(rules);
    find(caller, "email", "a");
    caller.do({ tool: "get_ticket" }, { subjects: ["b"], shown: ["phone c"] });
    const rows = JSON.parse(JSON.stringify(caller.state.rows()));
    const again = FlowState.of(rows, rules);
    expect(again.rows()).toEqual(caller.state.rows());
    expect(again.shown.has("phone c")).toBe(true);
  });

  it("takes a search in a record of an earlier release for an explanation, and an id for none", () => {
    const caller = new Caller(rules);
    const flow = {
      classes: ["identity" as const],
      kinds: ["source" as const],
      objects: [],
      neighbourhoods: [],
      cost: { records: 1, bytes: 1 },
    };
    const recorded = (seq: number, subjects: string[]) => ({
      seq,
      at: 1,
      name: "get_customer",
      digest: "",
      roles: ["support"],
      correlation_id: "",
      flow: { ...flow, subjects, unnamed: { subject: subjects.length === 0, objects: 0 } },
    });
    const earlier = toFlowCall(recorded(1, []));
    expect(explanationBy(caller.state, earlier ?? {}, 0, 1)).toBe(EXPLANATION.found);
    expect(toFlowCall(recorded(2, ["a"]))?.details).toBeUndefined();
  });

  it("counts people of a row that an earlier release stored as explained", () => {
    const row = { seen: 1, attempt: 1, gathered: [1, 0, 0, 0], starts: {} };
    expect(FlowState.of([{ key: "s:a", value: row }], rules).rows()).toMatchObject([
      { value: { explained: 1 } },
    ]);
  });
});

it("ships with 4 people in 10 minutes, 8 an hour and 15 a day", () => {
  const shipped = policyInForce().rules.filter(({ id }) => id === "unexplained-people");
  const count = (pause: number, within: number) => {
    const caller = new Caller(shipped);
    const start = caller.now;
    let people = 0;
    while (caller.now - start < within && caller.do(byId(`p${people}`)).verdict === "allow") {
      people += 1;
      caller.now += pause;
    }
    return people;
  };
  expect([count(1_000, HOUR), count(3 * MINUTE, HOUR), count(20 * MINUTE, 24 * HOUR)]).toEqual([4, 8, 15]);
});

describe("details", () => {
  it.each([
    [{ email: "Ada@Example.com" }, ["email"]],
    [{ phone: "+49 30 123456" }, ["phone"]],
    [{ name: "Ada Moreau", postcode: "10115" }, ["name_postcode"]],
    [{ name: "Ada", order_id: "O-100001" }, ["order_name"]],
    [{ customer_id: "C-10042" }, []],
    [{ order_id: "O-100001" }, []],
    [{ name: "Ada" }, []],
    ["nonsense", []],
  ])("of the arguments %j", (args, kinds) => {
    expect(detailsNamed(args, KEY).map(({ by }) => by)).toEqual(kinds);
  });

  it.each([
    [{ email: "ada@example.com" }, { body: { text: "Write to ADA@example.com, please." } }],
    [{ phone: "0049 30 5550123" }, { subject: "Call me: +49 (30) 555-0123" }],
    [
      { name: "Moreau", postcode: "10 115" },
      { name: "Ada Moreau", address: { postcode: "10115" } },
    ],
    [{ name: "Ada", order_id: "O-100001" }, { orders: [{ order_id: "O-100001" }] }],
  ])("that a call names are recognised when an answer shows them: %j", (args, answer) => {
    const shown = new Set(detailsShown(answer, KEY));
    expect(
      detailsNamed(args, KEY)
        .flatMap(({ tokens }) => tokens)
        .some((token) => shown.has(token)),
    ).toBe(true);
  });

  it("are found in linear time", () => {
    const time = (text: string) => {
      const started = process.cpuUsage().user;
      detailsShown({ text }, KEY);
      return (process.cpuUsage().user - started) / 1_000;
    };
    for (const unit of ["a", "1", "1 ", "a@", "a.", "O-1", "@a.", "+1-"]) {
      const text = unit.repeat(40_000 / unit.length);
      expect(time(text + text)).toBeLessThan(300 + 4 * time(text));
    }
  });
});
