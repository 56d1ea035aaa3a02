import { describe, expect, it } from "vitest";
import { release } from "../../../src/detection/detector.ts";
import type { DataClass } from "../../../src/detection/labels.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { Caller, HOUR, MINUTE, START, callOf, rulesOf } from "./support/calls.ts";

const read = (subject: string, ...classes: DataClass[]) => ({
  subjects: [subject],
  classes: classes.length > 0 ? classes : (["contact"] satisfies DataClass[]),
});
/** A call that would fit if the calls in flight answered less: it must wait, and no rule has hit. */
const WAITS = { verdict: "throttle", hits: [], isBusy: true };
const verdicts = (caller: Caller, calls: Parameters<Caller["do"]>[0][]) =>
  calls.map((call) => caller.do(call).verdict);

describe("subjects", () => {
  const rules = rulesOf({ kind: "subjects", limits: [{ window: "10m", max: 3 }] });

  it("allows calls up to the limit and refuses one more; people already read stay readable", () => {
    const caller = new Caller(rules);
    expect(verdicts(caller, [read("a"), read("b"), read("c"), read("d"), read("a", "payment")])).toEqual([
      "allow",
      "allow",
      "allow",
      "confirm",
      "allow",
    ]);
  });

  it("at the limit counts a miss as a stranger; below it, a miss counts as nobody", () => {
    const caller = new Caller(rules);
    const search = { classes: ["identity" as const] };
    expect(caller.do(search, { missed: true }).verdict).toBe("allow");
    for (const subject of ["a", "b", "c"]) caller.do(read(subject));
    expect(caller.do(search, { missed: true }).verdict).toBe("confirm");
    expect(caller.do(search, { subjects: ["d"] }).verdict).toBe("confirm");
    expect(caller.do(search, { subjects: ["a"] }).verdict).toBe("allow");
    // A person who is named was judged before the call.
    expect(caller.do(read("a"), { missed: true }).verdict).toBe("allow");
  });

  it("reports the observed count with the calls behind it", () => {
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
  ])("a person who was read %i ms ago", (age, verdict) => {
    const caller = new Caller(rules);
    verdicts(caller, [read("a"), read("b"), read("c")]);
    caller.now += age;
    expect(caller.do(read("d")).verdict).toBe(verdict);
  });

  it("counts the same person again a day later", () => {
    const caller = new Caller(rulesOf({ kind: "subjects", limits: [{ window: "24h", max: 1 }] }));
    caller.do(read("a"));
    caller.now += 24 * HOUR - 1;
    expect(caller.do(read("b")).verdict).toBe("confirm");
    caller.now += 1;
    expect(verdicts(caller, [read("a"), read("b")])).toEqual(["allow", "confirm"]);
  });

  it("withholds an answer about a person who was not named", () => {
    const caller = new Caller(rules);
    verdicts(caller, [read("a"), read("b"), read("c")]);
    expect(caller.do({}, { subjects: ["a"] }).verdict).toBe("allow");
    expect(caller.do({}, { subjects: ["d"] }).verdict).toBe("confirm");
    expect(caller.do({}, { subjects: ["d", "e", "f", "g"] }).hits[0]?.observed).toBe(7);
  });

  it("bounds calls about named people that are in flight together", () => {
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

  it("bounds calls about unnamed people in flight, and judges them when settled", () => {
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

  it("counts a call that is never settled as a person", () => {
    const caller = new Caller(rules);
    caller.admit({});
    caller.admit(read("a"));
    caller.now += 2 * MINUTE;
    expect(verdicts(caller, [read("b"), read("c")])).toEqual(["allow", "confirm"]);
  });

  it("does not count a person who does not exist", () => {
    const caller = new Caller(rules);
    for (const subject of ["x", "y", "z", "u", "v"]) {
      expect(caller.do(read(subject), { missed: true, subjects: [] }).verdict).toBe("allow");
    }
  });

  it("adds up the people of each day beyond a day", () => {
    const caller = new Caller(rulesOf({ kind: "subjects", limits: [{ window: "3d", max: 3 }] }));
    const days = [1, 2, 3].map(() => {
      caller.now += 25 * HOUR;
      return caller.do(read("a")).verdict;
    });
    expect(days).toEqual(["allow", "allow", "allow"]);
    expect(verdicts(caller, [read("b"), read("a")])).toEqual(["confirm", "allow"]);
  });

  it("can count one class only", () => {
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

it("profile: counts all classes about one person in any order, over any gap in the window", () => {
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

  it("counts steps only if the last start lies in the window", () => {
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

  it("keeps one person's steps apart from another's", () => {
    expect(
      verdicts(new Caller(rules), [read("a", "identity"), read("b", "orders"), read("a", "payment")]),
    ).toEqual(["allow", "allow", "allow"]);
  });

  it("can count steps of the caller, whomever they are about", () => {
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

  it("reserves the maximum and settles the actual amount", () => {
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

  it("counts writes in flight as done", () => {
    const caller = new Caller(
      rulesOf({ kind: "budget", kinds: ["write"], of: "records", limits: [{ window: "1h", max: 2 }] }),
    );
    const close = { classes: [], kinds: ["write" as const], unnamed: { subject: false, objects: 0 } };
    const [, , third] = [caller.admit(close), caller.admit(close), caller.admit(close)];
    expect(third.decision).toMatchObject({ verdict: "confirm", hits: [{ observed: 3, threshold: 2 }] });
  });

  it("by kinds counts all calls, whatever they are about", () => {
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

  it("can be extended by a release", () => {
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

  it("a window lasts at least as long as configured, and at most a twelfth longer", () => {
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

  it("counts distinct products relative to the catalog's size", () => {
    const caller = new Caller(rules);
    expect(verdicts(caller, many(41)).indexOf("confirm")).toBe(40);
    expect(caller.do(product("p3")).verdict).toBe("allow");
    expect(caller.do(product("p3", "new")).verdict).toBe("confirm");
  });

  it("assumes that a search finds as many new products as it may", () => {
    const caller = new Caller(rules);
    verdicts(caller, many(31));
    expect(caller.do({ ...search, unnamed: { subject: false, objects: 9 } }).verdict).toBe("allow");
    expect(caller.do(search).verdict).toBe("confirm");
  });

  it("counts names when they are answered: unknown names are not products", () => {
    const caller = new Caller(rules);
    for (let call = 0; call < 10; call++) {
      const names = Array.from({ length: 10 }, (_, index) => `none-${call}-${index}`);
      const missed = { objects: [], missing: names, records: 0, missed: true };
      expect(caller.do(product(...names), missed).verdict).toBe("allow");
    }
    expect(verdicts(caller, many(41)).indexOf("confirm")).toBe(40);
  });

  it("counts the products that a search found", () => {
    const caller = new Caller(rules);
    caller.do(search, { objects: Array.from({ length: 35 }, (_, index) => `f${index}`) });
    expect(caller.do(search).verdict).toBe("confirm");
    expect(caller.do(product("f0", "f1")).verdict).toBe("allow");
  });
});

describe("parallel reads of the catalog", () => {
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

  it.each([10, 50])("answers sixty equal searches of %i", (page) => {
    const caller = new Caller(rules);
    const all = admitAll(caller, 60, () => search("keyboard", page));
    expect(answeredOf(all)).toHaveLength(60);
    for (const { call } of all) caller.settle(call, found("keyboard", page));
    expect(caller.do(search("mouse", page)).verdict).toBe("allow");
  });

  it("answers as many different searches as fit, and more once these are settled", () => {
    const caller = new Caller(rules);
    const all = admitAll(caller, 100, (index) => search(`query ${index}`));
    expect(answeredOf(all)).toHaveLength(79);
    expect(all.at(-1)?.decision).toEqual({ ...WAITS, retryAfterMs: 250 });
    caller.now += 400;
    // Different words often find the same products.
    for (const { call } of answeredOf(all)) caller.settle(call, found("lamp", 10));
    expect(answeredOf(admitAll(caller, 21, (index) => search(`query ${79 + index}`)))).toHaveLength(21);
  });

  it("asks to wait as long as such calls took lately", () => {
    const caller = new Caller(rules);
    const { call } = caller.admit(search("first"));
    caller.now += 1_234;
    caller.settle(call, found("first", 1));
    const all = admitAll(caller, 100, (index) => search(`query ${index}`));
    expect(all.at(-1)?.decision).toEqual({ ...WAITS, retryAfterMs: 1_234 });
  });

  it("answers reads of a whole page after a search", () => {
    const caller = new Caller(rules);
    caller.do(search("keyboard", 30), found("keyboard", 30));
    const all = admitAll(caller, 30, (index) => product(`keyboard-${index}`));
    expect(answeredOf(all)).toHaveLength(30);
  });

  it.each(["searches", "names"])("stops a crawl by %s within the limit plus the calls in flight", (by) => {
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
    // Searches settled before, new products in each, the lost searches, products that these count.
    [0, 0, "different", 18],
    [0, 0, "equal", 1],
    [1, 10, "different", 3 * 18],
    [12, 10, "different", 9 * 18],
    [12, 0, "different", 18],
  ])(
    "after %i searches of %i products each, eighteen %s searches with lost settlements count %i",
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
      // The next call expires the lost ones.
      caller.do(product());
      expect(seen()).toBe(counted);
      if (settled < 12) expect(caller.admit(search("again")).decision.verdict).toBe("allow");
    },
  );

  it("counts everything that a lost call about a person could have answered", () => {
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

  it("counts the oldest of more than a hundred calls in flight as lost, and keeps calls about people apart", () => {
    const caller = new Caller(rulesOf({ kind: "products", limits: [{ window: "24h", share: 1, least: 0 }] }));
    admitAll(caller, 105, (index) => search(`query ${index}`));
    admitAll(caller, 30, (index) => ({ subjects: [`person-${index}`] }));
    expect([caller.state.publicReads.held.size, caller.state.inFlight.held.size]).toEqual([100, 24]);
    expect(caller.state.productsOfDay.count(caller.now, HOUR, []).seen).toBe(5);
  });
});

it("adjacency: counts steps along neighbouring ids, but not repeated reads", () => {
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

it("misses: need a number and a share", () => {
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
    expect(typing.do({}, { subjects: [`a${turn}`] }).verdict).toBe("allow");
    expect(typing.do({}, { subjects: [`b${turn}`] }).verdict).toBe("allow");
    expect(typing.do({}, miss).verdict).toBe("allow");
  }
});

it("misses: reading the same people again does not lower the share", () => {
  const rules = rulesOf({
    kind: "misses",
    classes: ["identity"],
    limits: [{ window: "1h", max: 4, share: 0.5 }],
  });
  const padding = new Caller(rules);
  const said = Array.from({ length: 9 }, (_, turn) => {
    for (let pad = 0; pad < 20; pad++) padding.do({}, { subjects: [`a${pad % 3}`] });
    return padding.do({ digest: `guess ${turn}` }, { missed: true, subjects: [] }).verdict;
  });
  expect(said.indexOf("confirm")).toBe(4);
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
  const lookUp = (there: number, gone: readonly string[], from = 0) => {
    const found = Array.from({ length: there }, (_, index) => `there-${from + index}`);
    return [
      { classes: ["catalog" as const], objects: [...found, ...gone] },
      { objects: found, records: there, missed: there === 0, missing: gone },
    ] as const;
  };
  const names = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => `gone-${from + index}`);

  it("count by name: the 61st is withheld, in one call or in many", () => {
    const one = new Caller(rules);
    expect(one.do(...lookUp(0, names(99)))).toMatchObject({ verdict: "throttle", hits: [{ observed: 99 }] });
    const many = new Caller(rules);
    const each = names(61).map((name) => many.do(...lookUp(0, [name])).verdict);
    expect(each.indexOf("throttle")).toBe(60);
  });

  it("refuse only the next miss: existing products stay readable", () => {
    const caller = new Caller(rules);
    for (let call = 0; call < 4; call++) caller.do(...lookUp(0, names(50, call * 50)));
    expect(caller.admit({ classes: ["catalog"], objects: ["there-1"] }).decision.verdict).toBe("allow");
    expect(caller.do(...lookUp(10, [])).verdict).toBe("allow");
    expect(caller.do({ classes: ["catalog"], unnamed: { subject: false, objects: 10 } }).verdict).toBe(
      "allow",
    );
    expect(caller.do(...lookUp(0, ["gone-999"])).verdict).toBe("throttle");
  });

  it("do not stop an agent with some outdated SKUs, or one that repeats the same SKU", () => {
    const stock = new Caller(rules);
    for (let round = 0; round < 12; round++)
      for (let call = 0; call < 3; call++)
        expect(stock.do(...lookUp(27, names(23, call * 23), call * 27)).verdict).toBe("allow");
    const polling = new Caller(rules);
    for (let round = 0; round < 300; round++)
      expect(polling.do(...lookUp(0, ["gone-1"])).verdict).toBe("allow");
  });

  it("count existing products once in the share: repeats do not hide guesses", () => {
    const padding = new Caller(rules);
    const said = Array.from({ length: 70 }, (_, guess) => {
      for (let pad = 0; pad < 4; pad++) padding.do(...lookUp(50, []));
      return padding.do(...lookUp(0, names(1, guess))).verdict;
    });
    expect(said.indexOf("throttle")).toBe(60);
  });

  it("end at the ceiling, whatever their share", () => {
    const caller = new Caller(
      rulesOf({
        kind: "misses",
        classes: ["catalog"],
        verdict: "throttle",
        limits: [{ window: "1h", max: 60, share: 0.5, ceiling: 100 }],
      }),
    );
    const said = Array.from({ length: 110 }, (_, guess) => {
      caller.do(...lookUp(10, [], guess * 10));
      return caller.do(...lookUp(0, names(1, guess)));
    });
    expect(said.findIndex(({ verdict }) => verdict === "throttle")).toBe(100);
    expect(said[100]?.hits).toMatchObject([{ observed: 101, threshold: 100 }]);
  });

  it("record a withheld answer as a miss, not as a read", () => {
    const caller = new Caller(rules);
    caller.do(...lookUp(0, names(60)));
    const { call } = caller.admit({ classes: ["catalog"], objects: ["gone-100"] });
    const hints = { objects: ["nearest"], missed: true, missing: ["gone-100"], records: 0 };
    expect(caller.settle(call, hints).verdict).toBe("throttle");
    expect(caller.state.productsOfDay.count(caller.now, HOUR, []).seen).toBe(0);
    expect(caller.state.missing.countNew(["gone-100"])).toBe(0);
  });
});

it("canary: flags the call and answers it", () => {
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

  it("allows reads, and writes without taint", () => {
    const caller = new Caller(rules);
    expect(verdicts(caller, [ticket, write])).toEqual(["allow", "allow"]);
    caller.do(ticket, { tainted: true });
    expect(caller.do(ticket).verdict).toBe("allow");
  });

  it("a release covers everything read before it", () => {
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

it("flooding: counts people pushed out of memory, in its own rule and in those of people", () => {
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
  it("a block lasts for a day or until its rule is released", () => {
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

  it("a release allows a number of further people until it ends", () => {
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

  it("a release for one person allows that person only", () => {
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

  it("enforces the strictest verdict and only reports shadow rules", () => {
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

  it("counts decisions at one instant and with a clock that steps back", () => {
    const caller = new Caller(rulesOf({ kind: "subjects", limits: [{ window: "10m", max: 2 }] }));
    caller.do(read("a"));
    caller.now -= MINUTE;
    expect(verdicts(caller, [read("b"), read("c")])).toEqual(["allow", "confirm"]);
  });
});

it("a refused call leaves no state", () => {
  const caller = new Caller(rulesOf({ kind: "subjects", limits: [{ window: "10m", max: 0 }] }));
  caller.state.takeChanges();
  expect(caller.admit(callOf(read("a"))).decision.verdict).toBe("confirm");
  expect(caller.state.takeChanges()).toEqual([]);
});
