import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { startCommand, within } from "../support/processes.ts";
import { runCommand } from "../support/run-command.ts";

const folder = await mkdtemp(join(tmpdir(), "replay-"));
afterAll(() => rm(folder, { recursive: true }));

const replay = (args: string[], input: (string | Uint8Array)[] = []) =>
  runCommand("policy replay", args, { input });
const file = async (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};

const read = (at_ms: number, subject: string, tool = "get_customer") => ({
  at_ms,
  tool,
  arguments: { customer_id: subject },
  result: { records: 1, subjects: [subject], products: [], bytes: 600, error: false },
});
const look = (at_ms: number, product: string) => ({
  at_ms,
  tool: "get_product",
  arguments: { id: product },
  result: { records: 1, subjects: [], products: [product], bytes: 600, error: false },
});
const trace = (id: string, calls: object[], more: object = {}) =>
  JSON.stringify({ id, catalog_size: 100, principal: { id: "p", role: "support" }, calls, ...more });
const people = (count: number) =>
  Array.from({ length: count }, (_, index) => read(index * 1_000, `person-${index}`));

const HONEST = trace("honest", [look(0, "a"), read(1, "x"), look(2, "a"), look(3, "b")], {
  label: "benign",
  family: "short",
});
const THEFT = trace("theft", [{ ...read(0, "y"), tool: "a_tool_of_theirs" }, ...people(9)], {
  label: "attack",
  family: "loop",
});
const LINES = [
  '{"id":"honest","action":"allow","enforced_at":null,"subjects_before":1,"objects_before":2,"rules":[]}',
  '{"id":"theft","action":"confirm","enforced_at":5,"subjects_before":4,"objects_before":0,"rules":["unexplained-people"]}',
];

describe("policy replay", () => {
  it("prints one line per record; calls of unlabelled tools keep their index and are ignored", async () => {
    const { stdout, code } = await replay([await file("two.jsonl", `${HONEST}\n\n${THEFT}\n`)]);
    expect(stdout.trimEnd().split("\n")).toEqual(LINES);
    expect(code).toBe(0);
  });

  it("reads gzip and standard input", async () => {
    const bytes = gzipSync(`${HONEST}\n${THEFT}`);
    const piped = within(50_000, startCommand("policy replay", ["-"], { input: [bytes] }));
    const results = await Promise.all([replay([await file("two.jsonl.gz", bytes)]), piped]);
    expect(results.map(({ stdout }) => stdout.trimEnd().split("\n"))).toEqual([LINES, LINES]);
  });

  it("adds a table by family, or its JSON", async () => {
    const path = await file("summary.jsonl", `${HONEST}\n${THEFT}\n`);
    const [table, json] = await Promise.all([
      replay([path, "--summary"]),
      replay([path, "--summary", "--json"]),
    ]);
    expect(table.stdout).toMatch(/attack │ loop +│ 1 of 1 +│ 20.7-100.0 │ 4, max 4/);
    expect(table.stdout).toMatch(/[\d.]+ us a call in the detector\n$/);
    expect(JSON.parse(json.stdout.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
      families: [
        { label: "attack", family: "loop", traces: 1, enforced: 1, subjects_before: { max: 4, median: 4 } },
        { label: "benign", family: "short", traces: 1, enforced: 0, objects_before: { max: 2, median: 2 } },
      ],
    });
  });

  it("takes a second policy, and shows what it would change", async () => {
    const path = await file("against.jsonl", `${HONEST}\n${THEFT}\n`);
    const policy = await file(
      "policy.json",
      JSON.stringify({
        rules: [
          {
            id: "few",
            kind: "subjects",
            version: 3,
            mode: "enforce",
            verdict: "block",
            limits: [{ window: "1h", max: 2 }],
          },
        ],
      }),
    );
    const [under, against] = await Promise.all([
      replay([path, "--policy", policy]),
      replay([path, "--against", policy, "--json"]),
    ]);
    const changed =
      '{"id":"theft","action":"block","enforced_at":3,"subjects_before":2,"objects_before":0,"rules":["few"]}';
    expect(under.stdout.trimEnd().split("\n")).toEqual([LINES[0], changed]);
    expect(against.stdout.trimEnd()).toBe(`[{"before":${LINES[1]},"after":${changed}}]`);
  });

  it("simulates the rate windows of both policies over an audit, and says what it cannot see", async () => {
    const base = JSON.parse(await readFile("policy.json", "utf8"));
    const tight = await file(
      "tight.json",
      JSON.stringify({ ...base, limits: { ...base.limits, calls: { max: 20, window_s: 60 } } }),
    );
    const attempt = (seq: number, decision = "admitted") => ({
      seq,
      at: 1_800_000_000_000 + seq * 500,
      kind: "attempt",
      target: "tool",
      name: "list_categories",
      decision,
      bucket: "calls",
      weight: 1,
      roles: ["shopper"],
      digest: "d",
      arguments: "{}",
      protocol: "2026-07-28",
      client: "test",
      correlation_id: `c-${seq}`,
      flow: null,
      catalog_size: 100,
      hits: [],
    });
    const repeats = {
      seq: 62,
      at: 1_800_000_060_000,
      kind: "repeats",
      of: 61,
      decision: "rate_limited",
      bucket: "calls",
      count: 7,
      last_at: 1_800_000_040_000,
      charges: [],
    };
    const records = [
      ...Array.from({ length: 60 }, (_, index) => attempt(index + 1)),
      attempt(61, "rate_limited"),
      repeats,
    ];
    const exported = (principal: string) =>
      [
        { audit: 1, principal, started_at: 1, checkpoint: null },
        ...records.map((record) => ({ record, hash: "" })),
      ]
        .map((each) => `${JSON.stringify(each)}\n`)
        .join("");
    const audit = await file("audit.jsonl", exported("ada"));
    const { stdout, stderr } = await replay([audit, "--against", tight, "--json"]);
    const line = {
      id: "ada",
      action: "allow",
      enforced_at: null,
      subjects_before: 0,
      objects_before: 0,
      rules: [],
    };
    expect(JSON.parse(stdout)).toEqual([{ before: line, after: { ...line, rate_limited: 41 } }]);
    expect(stderr).toMatch(/^7 refusals by the rate windows are only counted in the audit/);
    const joined = await file("joined.jsonl", exported("ada") + exported("bob"));
    const both = await replay([joined, "--against", tight, "--json"]);
    expect(JSON.parse(both.stdout)).toEqual(
      ["ada", "bob"].map((id) => ({ before: { ...line, id }, after: { ...line, id, rate_limited: 41 } })),
    );
    const traces = trace(
      "busy",
      Array.from({ length: 50 }, (_, at) => look(at * 100, "a")),
    );
    expect((await replay(["-", "--against", tight], [traces])).stdout).toMatch(
      /0, then 30.*\n1 of 1 record would change/s,
    );
  });

  it("takes a trace with more calls than a function takes arguments", async () => {
    const calls = Array.from({ length: 200_000 }, (_, at_ms) => ({
      at_ms,
      tool: "nobody_labelled",
      result: {},
    }));
    const { stdout, stderr } = await replay(["-"], [trace("long", calls)]);
    expect(JSON.parse(stdout).action).toBe("allow");
    // It may show its progress on a slow machine.
    expect(stderr).not.toMatch(/Error/);
  });

  it("treats calls of one time as in flight together", async () => {
    const searches = Array.from({ length: 10 }, (_, index) => ({
      ...read(0, `person-${index}`, "search_customers"),
      arguments: { name: "Smith" },
    }));
    const { stdout } = await replay(["-"], [trace("burst", searches)]);
    expect(JSON.parse(stdout)).toMatchObject({ action: "confirm", enforced_at: 4, subjects_before: 4 });
  });

  it.each([
    ["no JSON", `${HONEST}\n{"id":\n`, "line 2: is not JSON"],
    ["no trace", `${HONEST}\n${HONEST}\n{"id": 7}\n`, "line 3: not a trace: id: Invalid input"],
    [
      "a call without a result",
      trace("bad", [{ at_ms: 0, tool: "get_product", arguments: {} }]),
      "line 1: not a trace: calls.0.result",
    ],
  ])("names the bad line: %s", async (name, content, said) => {
    const { code, stderr } = await replay([await file(`${name}.jsonl`, content)]);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain("at ");
    expect(code).toBe(1);
  });

  it.each([
    ["not JSON", "{", "is not JSON"],
    ["no rules", "{}", "is not a policy"],
    [
      "an unknown field",
      '{"rules":[{"id":"a","kind":"canary","version":1,"mode":"enforce","verdict":"flag","max":1}]}',
      "max",
    ],
    [
      "a window of 31 days",
      '{"rules":[{"id":"a","kind":"subjects","version":1,"mode":"off","verdict":"flag","limits":[{"window":"31d","max":1}]}]}',
      "30d at most",
    ],
  ])("reports a problem of a policy: %s", async (_name, content, said) => {
    const { code, stderr } = await replay(
      ["-", "--policy", await file("bad-policy.json", content)],
      [HONEST],
    );
    expect(stderr).toContain(said);
    expect(code).toBe(1);
  });

  it("reports the same problems of a whole policy as policy check, with a rule's id", async () => {
    const shipped = z
      .looseObject({
        weights: z.record(z.string(), z.int()),
        rules: z.array(z.looseObject({ id: z.string() })),
      })
      .parse(JSON.parse(await readFile("policy.json", "utf8")));
    const { weights, rules } = shipped;
    const [{ id } = { id: "" }] = rules;
    for (const { changed, said } of [
      { changed: { weights: { ...weights, no_such_tool: 2 } }, said: 'weights: there is no "no_such_tool"' },
      {
        changed: { rules: rules.map((rule, index) => (index === 0 ? { ...rule, mode: "on" } : rule)) },
        said: `rules.0 (${id}).mode: `,
      },
    ]) {
      const other = await file("other.json", JSON.stringify({ ...shipped, ...changed }));
      const results = await Promise.all([
        replay(["-", "--against", other], [HONEST]),
        runCommand("policy check", [other]),
      ]);
      for (const { code, stderr } of results) {
        expect(stderr).toContain(`${other}: ${said}`);
        expect(code).toBe(1);
      }
    }
  });

  it("says what to do without a file, or with a missing one", async () => {
    expect((await replay([])).stderr).toContain("missing required argument 'file'");
    expect((await replay([join(folder, "none.jsonl")])).stderr).toContain("can't be read");
  });

  it("generates the same traces for the same seed, and can replay them", async () => {
    const generate = () => runCommand("lab traces", ["cover-work", "--count", "2", "--seed", "5"]);
    const [one, two] = await Promise.all([generate(), generate()]);
    expect(one.stdout).toBe(two.stdout);
    const { stdout } = await replay(["-"], [one.stdout]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
  });
});

it("the shipped rules match the schema", async () => {
  const { stdout } = await replay(["-", "--policy", "policy.json", "--against", "policy.json"], [THEFT]);
  expect(stdout).toContain("0 of 1 record would change");
});
