import { describe, expect, it } from "vitest";
import { release } from "../../../src/detection/detector.ts";
import type { DataClass } from "../../../src/detection/labels.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { Caller, HOUR, MINUTE, START, callOf, rulesOf } from "./support/calls.ts";

const read = (subject: string, ...classes: DataClass[]) => ({
  subjects: [subject],
  classes: classes.length > 0 ? classes : (["contact"] satisfies DataClass[]),
});
/** A call that would fit but for what others in flight may answer yet: no rule has seen anything. */
const WAITS = { verdict: "throttle", hits: [], isBusy: true };
const verdicts = (caller: Caller, calls: Parameters<Caller["do"]>[0][]) =>
  calls.map((call) => caller.do(call).verdict);

describe("subjects", () => {
  const rules = rulesOf({ kind: "subjects", limits: [{ window: "10m", max: 3 }] });

  it("lets the limit through and not one more, and those let through go on", () => {
    const caller = new Caller(rules);
    expect(verdicts(caller, [read("a"), read("b"), read("c"), read("d"), read("a", "payment")])).toEqual([
      "allow",
      "allow",
      "allow",
      "confirm",
      "allow",
    ]);
  });

  it("at the limit judges somebody who is not there as a stranger, and below it as nobody", () => {
    const caller = new Caller(rules);
    const search = { classes: ["identity" as const] };
    expect(caller.do(search, { missed: true }).verdict).toBe("allow");
    for (const subject of ["a", "b", "c"]) caller.do(read(subject));
    expect(caller.do(search, { missed: true }).verdict).toBe("confirm");
    expect(caller.do(search, { subjects: ["d"] }).verdict).toBe("confirm");
    expect(caller.do(search, { subjects: ["a"] }).verdict).toBe("allow");
    // Who is named was judged before.
    expect(caller.do(read("a"), { missed: true }).verdict).toBe("allow");
  });

  it("says what it saw, with the calls behind it", () => {
    const caller = new Caller(rules);
    const calls = ["a", "b", "c"].map((subject) => caller.admit(read(subject)).call);
    calls.forEach((call) => caller.settle(call));
    const { call, decision } = caller.admit(read("d"));
    expect(decision.hits).toEqual([
      {
        rule: "rule-0",
        version: 1,
        mode: "enforce",
        verdict: "confirm",
        observed: 4,
        threshold: 3,
        window: 10 * MINUTE,
        events: [...calls, call].map(({ attempt }) => attempt),
      },
    ]);
  });

  it.each([
    [10 * MINUTE - 1, "confirm"],
    [10 * MINUTE, "allow"],
    [10 * MINUTE + 1, "allow"],
  ])("someone read %i ms ago", (age, verdict) => {
    const caller = new Caller(rules);
    verdicts(caller, [read("a"), read("b"), read("c")]);
    caller.now += age;
    expect(caller.do(read("d")).verdict).toBe(verdict);
  });

  it("a day later the same person is read anew", () => {
    const caller = new Caller(rulesOf({ kind: "subjects", limits: [{ window: "24h", max: 1 }] }));
    caller.do(read("a"));
    caller.now += 24 * HOUR - 1;
    expect(caller.do(read("b")).verdict).toBe("confirm");
    caller.now += 1;
    expect(verdicts(caller, [read("a"), read("b")])).toEqual(["allow", "confirm"]);
  });

  it("withholds an answer about somebody who was not named", () => {
    const caller = new Caller(rules);
    verdicts(caller, [read("a"), read("b"), read("c")]);
    expect(caller.do({}, { subjects: ["a"] }).verdict).toBe("allow");
    expect(caller.do({}, { subjects: ["d"] }).verdict).toBe("confirm");
    expect(caller.do({}, { subjects: ["d", "e", "f", "g"] }).hits[0]?.observed).toBe(7);
  });

  it("calls about people named, in flight together, can't race past", () => {
    const caller = new Caller(rules);
    const all = ["a", "b", "c", "d", "e"].map((subject) => caller.admit(read(subject)));
    expect(all.map(({ decision }) => decision.verdict)).toEqual([
      "allow",
      "allow",
      "allow",
      "confirm",
      "confirm",
    ]);
  });

  it("calls about people not named are bounded in flight, and judged when settled", () => {
    const caller = new Caller(rules);
    const all = Array.from({ length: 30 }, () => caller.admit({}));
    const running = all.filter(({ decision }) => decision.verdict === "allow");
    expect(running).toHaveLength(3 + 16);
    // All of them may be about one person.
    expect(all.slice(3 + 16).map(({ decision }) => decision)).toEqual(
      Array.from({ length: 11 }, () => ({ ...WAITS, retryAfterMs: 250 })),
    );
    const settled = running.map(
      ({ call }, index) => caller.settle(call, { subjects: [`person-${index}`] }).verdict,
    );
    expect(settled.filter((verdict) => verdict === "allow")).toHaveLength(3);
  });

  it("a call that is never settled counts as somebody", () => {
    const caller = new Caller(rules);
    caller.admit({});
    caller.admit(read("a"));
    caller.now += 2 * MINUTE;
    expect(verdicts(caller, [read("b"), read("c")])).toEqual(["allow", "confirm"]);
  });

  it("who was asked for and does not exist is nobody", () => {
    const caller = new Caller(rules);
    for (const subject of ["x", "y", "z", "u", "v"]) {
      expect(caller.do(read(subject), { missed: true, subjects: [] }).verdict).toBe("allow");
    }
  });

  it("adds up the people of each day past a day", () => {
    const caller = new Caller(rulesOf({ kind: "subjects", limits: [{ window: "3d", max: 3 }] }));
    const days = [1, 2, 3].map(() => {
      caller.now += 25 * HOUR;
      return caller.do(read("a")).verdict;
    });
    expect(days).toEqual(["allow", "allow", "allow"]);
    expect(verdicts(caller, [read("b"), read("a")])).toEqual(["confirm", "allow"]);
  });

  it("can look at one class", () => {
    const caller = new Caller(
      rulesOf({ kind: "subjects", classes: ["payment"], limits: [{ window: "1h", max: 1 }] }),
    );
    expect(verdicts(caller, [read("a"), read("b"), read("b", "payment"), read("a", "payment")])).toEqual([
      "allow",
      "allow",
      "allow",
      "confirm",
    ]);
  });
});

it("profile: all classes about one person, in any order, over any gap in the window", () => {
  const rules = rulesOf({
    kind: "profile",
    classes: ["identity", "orders", "payment"],
    limits: [{ window: "1h", max: 1 }],
  });
  const steps = [
    read("a", "payment"),
    read("b", "orders"),
    read("a", "identity"),
    read("b", "identity"),
    read("a", "orders"),
    read("b", "payment"),
  ];
  expect(verdicts(new Caller(rules), steps).at(-1)).toBe("confirm");
  const slow = new Caller(rules);
  const last = steps.map((step, index) => {
    slow.now = START + (index === 0 ? 0 : HOUR);
    return slow.do(step).verdict;
  });
  expect(last.at(-1)).toBe("allow");
});

describe("sequence", () => {
  const steps = [
    { classes: ["identity" as const] },
    { classes: ["orders" as const] },
    { classes: ["payment" as const] },
  ];
  const rules = rulesOf({ kind: "sequence", per: "subject", steps, limits: [{ window: "1h", max: 0 }] });
  const about = (order: DataClass[]) => order.map((each) => read("a", each));

  it.each<[DataClass[], string]>([
    [["identity", "orders", "payment"], "confirm"],
    [["identity", "contact", "identity", "orders", "contact", "payment"], "confirm"],
    [["orders", "identity", "payment"], "allow"],
    [["payment", "orders", "identity", "orders", "payment"], "confirm"],
  ])("%j", (order, verdict) => {
    expect(verdicts(new Caller(rules), about(order)).at(-1)).toBe(verdict);
  });

  it("from its last start on it must lie in the window", () => {
    for (const [restart, verdict] of [
      [undefined, "allow"],
      [20 * MINUTE, "confirm"],
    ] as const) {
      const caller = new Caller(rules);
      caller.do(read("a", "identity"));
      if (restart !== undefined) {
        caller.now = START + restart;
        caller.do(read("a", "identity"));
      }
      caller.now = START + 30 * MINUTE;
      caller.do(read("a", "orders"));
      caller.now = START + HOUR;
      expect(caller.do(read("a", "payment")).verdict).toBe(verdict);
    }
  });

  it("one person's steps are not another's", () => {
    expect(
      verdicts(new Caller(rules), [read("a", "identity"), read("b", "orders"), read("a", "payment")]),
    ).toEqual(["allow", "allow", "allow"]);
  });

  it("about the caller, whoever they are about", () => {
    const caller = new Caller(
      rulesOf({
        kind: "sequence",
        per: "caller",
        steps: [{ classes: ["payment"] }, { kinds: ["sink"], tools: ["send"] }],
        limits: [{ window: "1h", max: 1 }],
      }),
    );
    const send = { tool: "send", kinds: ["sink" as const], classes: [] };
    expect(verdicts(caller, [send, read("a", "payment"), send, send])).toEqual([
      "allow",
      "allow",
      "allow",
      "confirm",
    ]);
  });
});

describe("budget", () => {
  const rules = rulesOf({
    kind: "budget",
    classes: ["orders"],
    of: "records",
    verdict: "throttle",
    limits: [{ window: "1h", max: 100 }],
  });
  const list = { subjects: ["a"], classes: ["orders" as const], cost: { records: 40, bytes: 1 } };

  it("reserves the most and settles what it was", () => {
    const caller = new Caller(rules);
    const [one, two] = [caller.admit(list), caller.admit(list)];
    expect(caller.admit(list).decision).toEqual({ ...WAITS, retryAfterMs: 250 });
    caller.settle(one.call, { records: 20 });
    caller.settle(two.call, { records: 40 });
    expect(caller.do(list, { records: 40 }).verdict).toBe("allow");
    expect(caller.do({ ...list, cost: { records: 1, bytes: 1 } })).toMatchObject({
      verdict: "throttle",
      retryAfterMs: 5 * MINUTE,
      hits: [{ observed: 101, threshold: 100 }],
    });
  });

  it("writes in flight count as done", () => {
    const caller = new Caller(
      rulesOf({ kind: "budget", kinds: ["write"], of: "records", limits: [{ window: "1h", max: 2 }] }),
    );
    const close = { classes: [], kinds: ["write" as const], unnamed: { subject: false, objects: 0 } };
    const [, , third] = [caller.admit(close), caller.admit(close), caller.admit(close)];
    expect(third.decision).toMatchObject({ verdict: "confirm", hits: [{ observed: 3, threshold: 2 }] });
  });

  it("of kinds adds up what was done, whatever it was about", () => {
    const caller = new Caller(
      rulesOf({ kind: "budget", kinds: ["write"], of: "records", limits: [{ window: "1h", max: 2 }] }),
    );
    const close = { classes: [], kinds: ["write" as const], unnamed: { subject: false, objects: 0 } };
    expect(verdicts(caller, [close, read("a"), close, close, read("b")])).toEqual([
      "allow",
      "allow",
      "allow",
      "confirm",
      "allow",
    ]);
    expect(() => rulesOf({ kind: "budget", of: "records", limits: [{ window: "1h", max: 2 }] })).toThrow(
      "Name classes",
    );
  });

  it("is released by calls", () => {
    const caller = new Caller(rules);
    expect(verdicts(caller, [list, list]).length).toBe(2);
    caller.do(list, { records: 100 });
    expect(caller.do(list).verdict).toBe("throttle");
    release(caller.state, caller.detector, {
      rule: "rule-0",
      subject: null,
      at: caller.now,
      until: caller.now + HOUR,
      allowance: 2,
    });
    expect(caller.do(list, { records: 40 }).verdict).toBe("allow");
  });

  it("a window lasts no shorter than it says, and a twelfth longer at most", () => {
    for (const [age, verdict] of [
      [HOUR - 1, "throttle"],
      [HOUR + 5 * MINUTE, "allow"],
    ] as const) {
      const caller = new Caller(rules);
      caller.do(list, { records: 100 });
      caller.now += age;
      expect(caller.do(list).verdict).toBe(verdict);
    }
  });
});

const product = (...objects: string[]) => ({ classes: ["catalog" as const], objects });

describe("products", () => {
  const rules = rulesOf({ kind: "products", limits: [{ window: "24h", share: 0.01, least: 20 }] });
  const search = { classes: ["catalog" as const], unnamed: { subject: false, objects: 10 } };
  const many = (count: number) => Array.from({ length: count }, (_, index) => product(`p${index}`));

  it("counts different ones against the catalog's size", () => {
    const caller = new Caller(rules);
    expect(verdicts(caller, many(41)).indexOf("confirm")).toBe(40);
    expect(caller.do(product("p3")).verdict).toBe("allow");
    expect(caller.do(product("p3", "new")).verdict).toBe("confirm");
  });

  it("a search is taken to find as many new ones as it may", () => {
    const caller = new Caller(rules);
    verdicts(caller, many(31));
    expect(caller.do({ ...search, unnamed: { subject: false, objects: 9 } }).verdict).toBe("allow");
    expect(caller.do(search).verdict).toBe("confirm");
  });

  it("counts names when they are answered: names that lead nowhere are no products", () => {
    const caller = new Caller(rules);
    for (let call = 0; call < 10; call++) {
      const names = Array.from({ length: 10 }, (_, index) => `none-${call}-${index}`);
      const missed = { objects: [], missing: names, records: 0, missed: true };
      expect(caller.do(product(...names), missed).verdict).toBe("allow");
    }
    expect(verdicts(caller, many(41)).indexOf("confirm")).toBe(40);
  });

  it("what a search found counts", () => {
    const caller = new Caller(rules);
    caller.do(search, { objects: Array.from({ length: 35 }, (_, index) => `f${index}`) });
    expect(caller.do(search).verdict).toBe("confirm");
    expect(caller.do(product("f0", "f1")).verdict).toBe("allow");
  });
});

describe("reads of the catalog side by side", () => {
  const rules = rulesOf({
    kind: "products",
    verdict: "throttle",
    limits: [{ window: "24h", share: 0.01, least: 199 }],
  });
  const search = (query: string, page = 10) => ({
    classes: ["catalog" as const],
    tool: "search_products",
    digest: query,
    unnamed: { subject: false, objects: page },
  });
  const found = (query: string, count: number) => ({
    objects: Array.from({ length: count }, (_, index) => `${query}-${index}`),
  });
  const admitAll = (caller: Caller, count: number, each: (index: number) => Parameters<Caller["admit"]>[0]) =>
    Array.from({ length: count }, (_, index) => caller.admit(each(index)));
  const answeredOf = (all: ReturnType<typeof admitAll>) =>
    all.filter(({ decision }) => decision.verdict === "allow");

  it.each([10, 50])("sixty equal searches of %i are all answered", (page) => {
    const caller = new Caller(rules);
    const all = admitAll(caller, 60, () => search("keyboard", page));
    expect(answeredOf(all)).toHaveLength(60);
    for (const { call } of all) caller.settle(call, found("keyboard", page));
    expect(caller.do(search("mouse", page)).verdict).toBe("allow");
  });

  it("sixty different searches are all answered, and more once these are settled", () => {
    const caller = new Caller(rules);
    const all = admitAll(caller, 100, (index) => search(`query ${index}`));
    expect(answeredOf(all)).toHaveLength(79);
    expect(all.at(-1)?.decision).toEqual({ ...WAITS, retryAfterMs: 250 });
    caller.now += 400;
    // What different words find is often the same.
    for (const { call } of answeredOf(all)) caller.settle(call, found("lamp", 10));
    expect(answeredOf(admitAll(caller, 21, (index) => search(`query ${79 + index}`)))).toHaveLength(21);
  });

  it("a wait is as long as such calls took lately", () => {
    const caller = new Caller(rules);
    const { call } = caller.admit(search("first"));
    caller.now += 1_234;
    caller.settle(call, found("first", 1));
    const all = admitAll(caller, 100, (index) => search(`query ${index}`));
    expect(all.at(-1)?.decision).toEqual({ ...WAITS, retryAfterMs: 1_234 });
  });

  it("a whole page looked at after a search is answered", () => {
    const caller = new Caller(rules);
    caller.do(search("keyboard", 30), found("keyboard", 30));
    const all = admitAll(caller, 30, (index) => product(`keyboard-${index}`));
    expect(answeredOf(all)).toHaveLength(30);
  });

  it.each(["searches", "names"])("a crawl by %s is stopped within the limit and what was in flight", (by) => {
    const caller = new Caller(rules);
    const answered = new Set<string>();
    const verdictsSeen = new Set<string>();
    for (let round = 0; round < 5; round++) {
      const all = admitAll(caller, 60, (index) => {
        const names = found(`${round}-${index}`, 50).objects;
        return by === "searches"
          ? search(`${round}-${index}`, 50)
          : { ...product(...names), digest: `${round}-${index}` };
      });
      for (const { call, decision } of all) {
        if (decision.verdict !== "allow") {
          verdictsSeen.add(decision.isBusy === true ? "waits" : "stopped");
          continue;
        }
        const names = by === "searches" ? found(call.digest ?? "", 50).objects : call.objects;
        caller.settle(call, { objects: names });
        for (const name of names) answered.add(name);
      }
    }
    expect(answered.size).toBeGreaterThan(100);
    expect(answered.size).toBeLessThanOrEqual(199 + (by === "searches" ? 600 : 0));
    expect([...verdictsSeen].toSorted()).toEqual(["stopped", "waits"]);
    expect(caller.do(search("one more", 50))).toMatchObject({
      verdict: "throttle",
      retryAfterMs: 2 * HOUR,
      hits: [{ rule: "rule-0" }],
    });
  });

  it.each([
    // Searches settled before, new products in each; those lost; products that these count.
    [0, 0, "different", 18],
    [0, 0, "equal", 1],
    [1, 10, "different", 3 * 18],
    [12, 10, "different", 9 * 18],
    [12, 0, "different", 18],
  ])(
    "after %i searches of %i products each, eighteen %s ones whose settlement is lost count %i",
    (settled, each, lost, counted) => {
      const caller = new Caller(rules);
      for (let index = 0; index < settled; index++)
        caller.do(search(`before ${index}`), found(`before ${index}`, each));
      admitAll(caller, 18, (index) => search(lost === "equal" ? "same" : `query ${index}`));
      const seen = () => caller.state.productsOfDay.count(caller.now, 24 * HOUR, []).seen - settled * each;
      caller.now += 2 * MINUTE - 1;
      caller.do(product());
      expect(seen()).toBe(0);
      caller.now += 1;
      // The next call finds out that they are lost.
      caller.do(product());
      expect(seen()).toBe(counted);
      if (settled < 12) expect(caller.admit(search("again")).decision.verdict).toBe("allow");
    },
  );

  it("a lost call about a person counts all that it could have answered", () => {
    const caller = new Caller(
      rulesOf({ kind: "budget", classes: ["orders"], of: "records", limits: [{ window: "1h", max: 100 }] }),
    );
    const list = { subjects: ["a"], classes: ["orders" as const], cost: { records: 40, bytes: 1 } };
    caller.do(list, { records: 1 });
    caller.admit(list);
    caller.now += 2 * MINUTE;
    expect(caller.do({ ...list, cost: { records: 59, bytes: 1 } }).verdict).toBe("allow");
    expect(caller.do({ ...list, cost: { records: 60, bytes: 1 } }).verdict).toBe("confirm");
  });

  it("past a hundred in flight the oldest counts as lost, and calls about people stay in their own places", () => {
    const caller = new Caller(rulesOf({ kind: "products", limits: [{ window: "24h", share: 1, least: 0 }] }));
    admitAll(caller, 105, (index) => search(`query ${index}`));
    admitAll(caller, 30, (index) => ({ subjects: [`person-${index}`] }));
    expect([caller.state.publicReads.held.size, caller.state.inFlight.held.size]).toEqual([100, 24]);
    expect(caller.state.productsOfDay.count(caller.now, HOUR, []).seen).toBe(5);
  });
});

it("adjacency: walking along ids, and not looking at the same ones again", () => {
  const rules = rulesOf({ kind: "adjacency", classes: ["orders"], limits: [{ window: "1h", max: 3 }] });
  const order = (id: number) => ({
    classes: ["orders" as const],
    objects: [`order-${id}`],
    neighbourhoods: [`run-${Math.floor(id / 16)}`],
  });
  const walk = (...ids: number[]) => verdicts(new Caller(rules), ids.map(order)).indexOf("confirm");
  expect(walk(0, 1, 2, 3, 4)).toBe(4);
  expect(walk(14, 12, 10, 8, 6)).toBe(4);
  expect(walk(0, 1, 0, 1, 0, 1, 0, 1)).toBe(-1);
  expect(walk(0, 16, 32, 48, 64, 80)).toBe(-1);
});

it("misses: many, and a large share", () => {
  const rules = rulesOf({
    kind: "misses",
    classes: ["identity"],
    limits: [{ window: "1h", max: 4, share: 0.5 }],
  });
  const miss = { missed: true, subjects: [] };
  const guessing = new Caller(rules);
  expect(Array.from({ length: 6 }, () => guessing.do({}, miss).verdict)).toEqual([
    "allow",
    "allow",
    "allow",
    "allow",
    "confirm",
    "confirm",
  ]);
  const typing = new Caller(rules);
  for (let turn = 0; turn < 9; turn++) {
    expect(typing.do({}, { subjects: ["a"] }).verdict).toBe("allow");
    expect(typing.do({}, { subjects: ["a"] }).verdict).toBe("allow");
    expect(typing.do({}, miss).verdict).toBe("allow");
  }
});

describe("misses about people", () => {
  const rules = rulesOf({ kind: "misses", classes: ["identity"], limits: [{ window: "1h", max: 15 }] });
  const guess = (name: number) =>
    [
      { tool: "search_customers", digest: `guess ${name}` },
      { missed: true, subjects: [] },
    ] as const;

  it("end with the number of different guesses, with whatever calls between them", () => {
    const caller = new Caller(rules);
    const said = Array.from({ length: 20 }, (_, index) => {
      for (let pad = 0; pad < 5; pad++)
        caller.do({ tool: "list_tickets", digest: "open" }, { subjects: ["a"] });
      return caller.do(...guess(index)).verdict;
    });
    expect(said.indexOf("confirm")).toBe(15);
    expect(said.slice(15)).toEqual(said.slice(15).map(() => "confirm"));
  });

  it("count an equal call once: an agent that retries goes on", () => {
    const caller = new Caller(rules);
    for (let retry = 0; retry < 40; retry++) expect(caller.do(...guess(retry % 3)).verdict).toBe("allow");
  });

  it("end at 15 in an hour by the shipped policy, padded or not", () => {
    const shipped = policyInForce().rules.filter(({ id }) => id === "people-guessing");
    for (const padding of [0, 2, 9]) {
      const caller = new Caller(shipped);
      let answered = 0;
      while (answered < 60 && caller.do(...guess(answered)).verdict === "allow") {
        answered += 1;
        for (let pad = 0; pad < padding; pad++)
          caller.do({ tool: "list_tickets", digest: `${answered} ${pad}` }, { subjects: ["a"] });
      }
      expect(answered).toBe(15);
    }
  });
});

describe("misses of products", () => {
  const rules = rulesOf({
    kind: "misses",
    classes: ["catalog"],
    verdict: "throttle",
    limits: [{ window: "1h", max: 60, share: 0.5 }],
  });
  const lookUp = (there: number, gone: readonly string[]) => {
    const found = Array.from({ length: there }, (_, index) => `there-${index}`);
    return [
      { classes: ["catalog" as const], objects: [...found, ...gone] },
      { objects: found, records: there, missed: there === 0, missing: gone },
    ] as const;
  };
  const names = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => `gone-${from + index}`);

  it("are counted by name: the 61st is withheld, in one call or in many", () => {
    const one = new Caller(rules);
    expect(one.do(...lookUp(0, names(99)))).toMatchObject({ verdict: "throttle", hits: [{ observed: 99 }] });
    const many = new Caller(rules);
    const each = names(61).map((name) => many.do(...lookUp(0, [name])).verdict);
    expect(each.indexOf("throttle")).toBe(60);
  });

  it("close nothing but to the next miss: what is there goes on being answered", () => {
    const caller = new Caller(rules);
    for (let call = 0; call < 4; call++) caller.do(...lookUp(0, names(50, call * 50)));
    expect(caller.admit({ classes: ["catalog"], objects: ["there-1"] }).decision.verdict).toBe("allow");
    expect(caller.do(...lookUp(10, [])).verdict).toBe("allow");
    expect(caller.do({ classes: ["catalog"], unnamed: { subject: false, objects: 10 } }).verdict).toBe(
      "allow",
    );
    expect(caller.do(...lookUp(0, ["gone-999"])).verdict).toBe("throttle");
  });

  it("an agent with outdated SKUs among many, or that asks for the same again and again, works on", () => {
    const stock = new Caller(rules);
    for (let round = 0; round < 12; round++)
      for (let call = 0; call < 3; call++)
        expect(stock.do(...lookUp(27, names(23, call * 23))).verdict).toBe("allow");
    const polling = new Caller(rules);
    for (let round = 0; round < 300; round++)
      expect(polling.do(...lookUp(0, ["gone-1"])).verdict).toBe("allow");
  });

  it("a withheld answer is noted as asked for in vain, not as read", () => {
    const caller = new Caller(rules);
    caller.do(...lookUp(0, names(60)));
    const { call } = caller.admit({ classes: ["catalog"], objects: ["gone-100"] });
    const hints = { objects: ["nearest"], missed: true, missing: ["gone-100"], records: 0 };
    expect(caller.settle(call, hints).verdict).toBe("throttle");
    expect(caller.state.productsOfDay.count(caller.now, HOUR, []).seen).toBe(0);
    expect(caller.state.missing.countNew(["gone-100"])).toBe(0);
  });
});

it("canary: flagged, and the answer is given", () => {
  const caller = new Caller(rulesOf({ kind: "canary", verdict: "flag" }));
  const decision = caller.do(read("planted"), { canary: true });
  expect(decision).toMatchObject({ verdict: "flag", hits: [{ rule: "rule-0", observed: 1, threshold: 0 }] });
  expect(caller.do(read("a")).verdict).toBe("allow");
});

describe("taint", () => {
  const rules = rulesOf({ kind: "taint", next: ["write", "sink"], window: "15m" });
  const ticket = { classes: ["contact" as const], subjects: ["a"] };
  const write = { classes: [], kinds: ["write" as const] };

  it.each([
    [15 * MINUTE - 1, "confirm"],
    [15 * MINUTE, "allow"],
  ])("a write %i ms after a tainted read", (age, verdict) => {
    const caller = new Caller(rules);
    caller.do(ticket, { tainted: true });
    caller.now += age;
    expect(caller.do(write).verdict).toBe(verdict);
  });

  it("reads go on, and without taint so do writes", () => {
    const caller = new Caller(rules);
    expect(verdicts(caller, [ticket, write])).toEqual(["allow", "allow"]);
    caller.do(ticket, { tainted: true });
    expect(caller.do(ticket).verdict).toBe("allow");
  });

  it("a release covers what was read until then", () => {
    const caller = new Caller(rules);
    caller.do(ticket, { tainted: true });
    release(caller.state, caller.detector, {
      rule: "rule-0",
      subject: null,
      at: START + 1,
      until: START + HOUR,
      allowance: 0,
    });
    caller.now += MINUTE;
    expect(caller.do(write).verdict).toBe("allow");
    caller.do(ticket, { tainted: true });
    expect(caller.do(write).verdict).toBe("confirm");
  });
});

it("flooding: people pushed out of memory count, in their own rule and in those of people", () => {
  const caller = new Caller(
    rulesOf(
      { kind: "flooding", verdict: "block", limits: [{ window: "24h", max: 5 }] },
      { kind: "subjects", mode: "shadow", limits: [{ window: "24h", max: 42 }] },
    ),
  );
  const decisions = Array.from({ length: 47 }, (_, index) => {
    caller.now += 1;
    return caller.do(read(`person-${index}`));
  });
  expect(decisions.findIndex(({ verdict }) => verdict === "block")).toBe(46);
  expect(decisions.findIndex(({ hits }) => hits.some(({ rule }) => rule === "rule-1"))).toBe(42);
});

describe("verdicts", () => {
  it("a block stands for a day or until its rule is released", () => {
    const rules = rulesOf({ kind: "subjects", verdict: "block", limits: [{ window: "10m", max: 0 }] });
    const blocked = () => {
      const caller = new Caller(rules);
      caller.do(read("a"));
      return caller;
    };
    const catalog = { classes: ["catalog" as const] };
    const waiting = blocked();
    expect(waiting.do(catalog).verdict).toBe("block");
    waiting.now += 24 * HOUR - 1;
    expect(waiting.do(catalog)).toMatchObject({ verdict: "block", hits: [{ rule: "rule-0" }] });
    waiting.now += 1;
    expect(waiting.do(catalog).verdict).toBe("allow");
    const pardoned = blocked();
    release(pardoned.state, pardoned.detector, {
      rule: "rule-0",
      subject: null,
      at: START,
      until: START + HOUR,
      allowance: 1,
    });
    expect(verdicts(pardoned, [catalog, read("a"), read("b")])).toEqual(["allow", "allow", "block"]);
  });

  it("a release lets so many more through, until it ends", () => {
    const caller = new Caller(rulesOf({ kind: "subjects", limits: [{ window: "24h", max: 1 }] }));
    caller.do(read("a"));
    release(caller.state, caller.detector, {
      rule: "rule-0",
      subject: null,
      at: START,
      until: START + HOUR,
      allowance: 2,
    });
    expect(verdicts(caller, [read("b"), read("c"), read("d")])).toEqual(["allow", "allow", "confirm"]);
    caller.now += HOUR;
    expect(verdicts(caller, [read("a"), read("d")])).toEqual(["allow", "confirm"]);
  });

  it("a second release adds to the first while that holds", () => {
    const again = (at: number) => ({ rule: "rule-0", subject: null, at, until: at + HOUR, allowance: 1 });
    const caller = new Caller(rulesOf({ kind: "subjects", limits: [{ window: "24h", max: 1 }] }));
    caller.do(read("a"));
    release(caller.state, caller.detector, again(START));
    expect(verdicts(caller, [read("b"), read("c")])).toEqual(["allow", "confirm"]);
    release(caller.state, caller.detector, again(caller.now));
    expect(verdicts(caller, [read("c"), read("d")])).toEqual(["allow", "confirm"]);
    caller.now += HOUR;
    release(caller.state, caller.detector, again(caller.now));
    expect(caller.do(read("d")).verdict).toBe("confirm");
  });

  it("a release for a person lets that person through, and no other", () => {
    const caller = new Caller(rulesOf({ kind: "subjects", limits: [{ window: "24h", max: 1 }] }));
    caller.do(read("a"));
    release(caller.state, caller.detector, {
      rule: "rule-0",
      subject: "b",
      at: START,
      until: START + HOUR,
      allowance: 0,
    });
    expect(verdicts(caller, [read("b"), read("c")])).toEqual(["allow", "confirm"]);
  });

  it("the strictest of the enforced speaks, shadow is only told", () => {
    const limits = [{ window: "10m", max: 0 }];
    const caller = new Caller(
      rulesOf(
        { kind: "subjects", verdict: "flag", limits },
        { kind: "subjects", verdict: "throttle", limits },
        { kind: "subjects", verdict: "block", mode: "shadow", limits },
        { kind: "subjects", verdict: "block", mode: "off", limits },
        { kind: "subjects", verdict: "block", roles: ["admin"], limits },
      ),
    );
    const decision = caller.do(read("a"));
    expect(decision.verdict).toBe("throttle");
    expect(decision.hits.map(({ rule, mode }) => [rule, mode])).toEqual([
      ["rule-0", "enforce"],
      ["rule-1", "enforce"],
      ["rule-2", "shadow"],
    ]);
    expect(caller.do({ ...read("b"), roles: ["admin"] }).verdict).toBe("block");
  });

  it("decisions at one instant and with a clock that steps back count everything", () => {
    const caller = new Caller(rulesOf({ kind: "subjects", limits: [{ window: "10m", max: 2 }] }));
    caller.do(read("a"));
    caller.now -= MINUTE;
    expect(verdicts(caller, [read("b"), read("c")])).toEqual(["allow", "confirm"]);
  });
});

it("a refused call leaves nothing behind", () => {
  const caller = new Caller(rulesOf({ kind: "subjects", limits: [{ window: "10m", max: 0 }] }));
  caller.state.takeChanges();
  expect(caller.admit(callOf(read("a"))).decision.verdict).toBe("confirm");
  expect(caller.state.takeChanges()).toEqual([]);
});
