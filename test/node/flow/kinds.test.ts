import { describe, expect, it } from "vitest";
import { release } from "../../../src/flow/detector.ts";
import type { DataClass } from "../../../src/flow/labels.ts";
import { Caller, HOUR, MINUTE, START, callOf, rulesOf } from "./support/calls.ts";

const read = (subject: string, ...classes: DataClass[]) => ({
  subjects: [subject],
  classes: classes.length > 0 ? classes : (["contact"] satisfies DataClass[]),
});
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
    expect(caller.admit(list).decision).toMatchObject({ verdict: "throttle", retryAfterMs: 5 * MINUTE });
    caller.settle(one.call, { records: 20 });
    caller.settle(two.call, { records: 40 });
    expect(caller.do(list, { records: 40 }).verdict).toBe("allow");
    expect(caller.do({ ...list, cost: { records: 1, bytes: 1 } }).verdict).toBe("throttle");
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

describe("products", () => {
  const rules = rulesOf({ kind: "products", limits: [{ window: "24h", share: 0.01, least: 20 }] });
  const product = (...objects: string[]) => ({ classes: ["catalog" as const], objects });
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
    verdicts(caller, many(21));
    expect(caller.admit(search).decision.verdict).toBe("allow");
    expect(caller.admit(search).decision.verdict).toBe("confirm");
  });

  it("what a search found counts", () => {
    const caller = new Caller(rules);
    caller.do(search, { objects: Array.from({ length: 35 }, (_, index) => `f${index}`) });
    expect(caller.do(search).verdict).toBe("confirm");
    expect(caller.do(product("f0", "f1")).verdict).toBe("allow");
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
