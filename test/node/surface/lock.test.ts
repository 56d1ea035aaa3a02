import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { costOfRoles, tooCostly } from "../../../lab/surface/cost.ts";
import {
  EMPTY_LOCK,
  type Lock,
  type LockedTool,
  behindProblems,
  change,
  lockSchema,
  rewritten,
} from "../../../lab/surface/lock.ts";
import { surfaceOf } from "../../../lab/surface/surface.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { allTools } from "../../../src/ucp/registry.ts";

const TODAY = "2026-12-01";
const text = { type: "string" };
const shape = (properties: object, more: object = {}) => ({
  inputSchema: { type: "object", properties, additionalProperties: false, ...more },
  outputSchema: { type: "object", properties: { answer: text }, required: ["answer"] },
  annotations: { readOnlyHint: true },
});
const tool = (changes: Partial<LockedTool> = {}): LockedTool => ({
  tool: "ask",
  version: 1,
  title: "Ask",
  description: "Asks.",
  examples: [{ a: "x" }],
  shapes: [shape({ a: text })],
  ...changes,
});
const lockOf = (all: Record<string, LockedTool>, changes: Partial<Lock> = {}): Lock => ({
  ...EMPTY_LOCK,
  tools: all,
  ...changes,
});
const locked = lockOf({ ask: tool() });
const problemsOf = (lock: Lock, surface: Lock) => change(lock, surface, TODAY).problems;

describe("the lock grows with", () => {
  it("a new tool", () => {
    const surface = lockOf({ ask: tool(), tell: tool({ tool: "tell" }) });
    expect(change(locked, surface, TODAY)).toMatchObject({ problems: [], next: surface });
  });

  it("an additive change, as another shape and example of the same version", () => {
    const grown = tool({ shapes: [shape({ a: text, b: text })], examples: [{ b: "y" }] });
    expect(change(locked, lockOf({ ask: grown }), TODAY)).toMatchObject({
      problems: [],
      next: lockOf({
        ask: {
          ...grown,
          shapes: [shape({ a: text }), shape({ a: text, b: text })],
          examples: [{ a: "x" }, { b: "y" }],
        },
      }),
    });
  });

  it("a changed text, in place", () => {
    const said = tool({
      description: "Asks well.",
      shapes: [shape({ a: { ...text, description: "What" } })],
    });
    expect(change(locked, lockOf({ ask: said }), TODAY)).toMatchObject({
      problems: [],
      next: lockOf({ ask: said }),
    });
  });

  it("a new version, and keeps the old one", () => {
    const deprecated = { since: TODAY, until: "2027-06-01" };
    const surface = lockOf({
      ask: tool({ deprecated }),
      ask_v2: tool({ version: 2, shapes: [shape({ c: text })] }),
    });
    expect(change(locked, surface, TODAY)).toMatchObject({ problems: [], next: surface });
  });

  it("the removal of a version after its last day", () => {
    const deprecated = { since: "2026-01-01", until: "2026-11-30" };
    const before = lockOf({ ask: tool({ deprecated }), ask_v2: tool({ version: 2 }) });
    expect(problemsOf(before, lockOf({ ask_v2: tool({ version: 2 }) }))).toEqual([]);
  });
});

describe("the lock rejects", () => {
  const deprecated = { since: "2026-11-01", until: "2027-06-01" };
  const argument = (name: string, required: boolean) => ({ name, description: "", required });
  const prompt = (...args: ReturnType<typeof argument>[]) => ({
    title: "",
    description: "",
    arguments: args,
  });

  it.each<[string, Lock, Lock, string]>([
    ["a removed tool", locked, EMPTY_LOCK, "tool ask was removed"],
    [
      "a breaking change, and says what to do",
      locked,
      lockOf({ ask: tool({ shapes: [shape({})] }) }),
      "tool ask: input: a was removed, but clients may send it. Raise the tool's version",
    ],
    [
      "a change that breaks an earlier shape",
      lockOf({ ask: tool({ shapes: [shape({ a: text, b: text }), shape({ a: text })] }) }),
      lockOf({ ask: tool() }),
      "tool ask: input: b was removed",
    ],
    [
      "a new version without the old one",
      locked,
      lockOf({ ask_v2: tool({ version: 2 }) }),
      "tool ask was removed",
    ],
    [
      "a version that skips one",
      locked,
      lockOf({ ask: tool(), ask_v3: tool({ version: 3 }) }),
      "must be 2, not 3",
    ],
    [
      "a first version that is not 1",
      EMPTY_LOCK,
      lockOf({ ask_v2: tool({ version: 2 }) }),
      "must be 1, not 2",
    ],
    [
      "a deprecation of a month",
      locked,
      lockOf({ ask: tool({ deprecated: { since: TODAY, until: "2027-01-01" } }) }),
      "give clients at least 90 days",
    ],
    [
      "the removal of a version before its last day",
      lockOf({ ask: tool({ deprecated }) }),
      EMPTY_LOCK,
      "was promised until 2027-06-01",
    ],
    [
      "a last day that moves earlier",
      lockOf({ ask: tool({ deprecated }) }),
      lockOf({ ask: tool({ deprecated: { ...deprecated, until: "2027-03-01" } }) }),
      "may only move later",
    ],
    [
      "a removed prompt argument",
      lockOf({}, { prompts: { p: prompt(argument("a", false)) } }),
      lockOf({}, { prompts: { p: prompt() } }),
      "prompt p: a was removed",
    ],
    [
      "a prompt argument that became required",
      lockOf({}, { prompts: { p: prompt(argument("a", false)) } }),
      lockOf({}, { prompts: { p: prompt(argument("a", true)) } }),
      "prompt p: a is now required",
    ],
    [
      "a removed resource",
      lockOf({}, { resources: { "x://y": { name: "y", title: "", description: "", mimeType: "a/b" } } }),
      EMPTY_LOCK,
      "resource x://y was removed",
    ],
  ])("%s", (_, before, now, problem) => {
    expect(problemsOf(before, now)).toContainEqual(expect.stringContaining(problem));
  });
});

describe("a rewritten lock is detected by", () => {
  const two = lockOf({ ask: tool({ shapes: [shape({ a: text }), shape({ a: text, b: text })] }) });
  it.each<[string, Lock, Lock, string[]]>([
    ["no problem if it only grew", locked, two, []],
    ["a missing shape", two, locked, ["tool ask: a shape that clients have seen was removed from the lock"]],
    [
      "a missing example",
      two,
      lockOf({ ask: { ...tool(), ...two.tools["ask"], examples: [] } }),
      ["tool ask: an example was removed from the lock"],
    ],
    ["a missing tool", two, EMPTY_LOCK, ["tool ask was removed from the lock"]],
  ])("%s", (_, earlier, lock, problems) => {
    expect(rewritten(earlier, lock)).toEqual(problems);
  });
});

it("tool-definitions.json matches what clients see", async () => {
  const lock = lockSchema.parse(JSON.parse(await readFile("tool-definitions.json", "utf8")));
  const changed = change(lock, surfaceOf(allTools), new Date().toISOString().slice(0, 10));
  expect([...changed.problems, ...behindProblems(changed)]).toEqual([]);
});

it("no role's list of tools costs a model more than allowed", () => {
  expect(tooCostly(policyInForce())).toEqual([]);
  for (const { cost } of costOfRoles(policyInForce())) expect(cost.model).toBeGreaterThan(0);
});
