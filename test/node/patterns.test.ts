import { readFileSync, readdirSync } from "node:fs";
import { parseSync } from "oxc-parser";
import { describe, expect, it } from "vitest";
import { numberText } from "../../src/catalog/import/read/number-text.ts";
import { toImages } from "../../src/catalog/import/read/field-text.ts";
import { words } from "../../src/catalog/search/words.ts";
import { customerIdSchema } from "../../src/support/ids.ts";

// Callers and suppliers choose the texts that patterns run over, and a pattern that takes quadratic time on a
// long run of digits delays everybody. Every pattern in the sources is found by parsing them, so that none
// can be forgotten here.

const ROOTS = ["src", "cli/import"];
/**
 * Patterns built at run time cannot be found by parsing. Numbers, words and ids are timed below, signatures in
 * injection-scan.test.ts. Those of next-catalog.ts run over this server's own SQL.
 */
const MADE = [
  "src/catalog/import/next-catalog.ts",
  "src/catalog/import/read/number-text.ts",
  "src/catalog/search/words.ts",
  "src/support/ids.ts",
  "src/text/injection-signatures.ts",
];

const LENGTH = 10_000;
/**
 * Milliseconds of processor time. A linear pattern takes a tenth of a millisecond for a text this long, a
 * quadratic one a hundred.
 */
const MOST_MS = 25;

interface Found {
  file: string;
  pattern: RegExp;
}

const isNode = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

function* nodesOf(node: unknown): Generator<Record<string, unknown>> {
  if (Array.isArray(node)) for (const each of node) yield* nodesOf(each);
  else if (isNode(node)) {
    yield node;
    for (const each of Object.values(node)) if (!(each instanceof RegExp)) yield* nodesOf(each);
  }
}

const nameOf = (node: unknown): unknown =>
  isNode(node) && node["type"] === "Identifier" ? node["name"] : "";

function patternsIn(file: string, source: string): { literals: Found[]; makes: boolean } {
  const { program, errors } = parseSync(file, source);
  expect([file, errors]).toEqual([file, []]);
  const nodes = [...nodesOf(program)];
  const literals = nodes.flatMap((node) => {
    const regex = node["type"] === "Literal" ? node["regex"] : undefined;
    if (!isNode(regex)) return [];
    return [{ file, pattern: new RegExp(String(regex["pattern"]), String(regex["flags"])) }];
  });
  const makes = nodes.some(
    ({ type, callee }) =>
      (type === "NewExpression" || type === "CallExpression") && nameOf(callee) === "RegExp",
  );
  return { literals, makes };
}

const sources = ROOTS.flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => `${root}/${name.replaceAll("\\", "/")}`),
);
const scanned = sources.map((file) => ({ file, ...patternsIn(file, readFileSync(file, "utf8")) }));
const literals = scanned.flatMap((each) => each.literals);

/**
 * Units for a text that is one long run: single characters, and pairs that a pattern may read in two ways.
 */
const CHARACTERS = [
  ...Array.from("aA0éß字 \n\t.,;:-_/\\'\"<>&#=+@%*|~!?()[]{}$^`"),
  "\u0301",
  "\u200b",
  "\u{1f3f4}",
  "\u{e0041}",
];
const PAIRS = ["a", "0", " "].flatMap((first) =>
  Array.from("a0 -.,:/_'\"<=@+[\u200b").map((second) => first + second),
);
const MORE = [
  "\u001b[",
  "![",
  "<|",
  "<!--",
  "&amp;",
  "&#",
  "](",
  "00:",
  "AB12-",
  "a b ",
  "x y. ",
  "1,000",
  "ignore ",
];

/** Words and signs from the pattern itself: a text full of its beginnings makes it start everywhere. */
const ownUnits = ({ source }: RegExp): string[] =>
  [...source.matchAll(/[A-Za-z_]{2,}|[^\\A-Za-z\s]{2,}/g)].map(([unit]) => unit);

/** Returns the longest time in milliseconds for a text full of one unit, up to the first that is too long. */
function worst(look: (text: string) => unknown, units: readonly string[]): { ms: number; unit: string } {
  let found = { ms: 0, unit: "" };
  for (const unit of units) {
    // No pattern matches the last character, so that patterns anchored at the end fail there.
    const text = `${unit.repeat(Math.ceil(LENGTH / unit.length))}\u0000`;
    let ms = timeOf(look, text);
    // The first run may include compiling the pattern or collecting garbage.
    for (let again = 0; again < 2 && ms > MOST_MS; again++) ms = Math.min(ms, timeOf(look, text));
    if (ms > found.ms) found = { ms, unit };
    if (ms > MOST_MS) break;
  }
  return found;
}

function timeOf(look: (text: string) => unknown, text: string): number {
  const started = process.threadCpuUsage();
  look(text);
  const { user, system } = process.threadCpuUsage(started);
  return (user + system) / 1000;
}

const units = (pattern: RegExp) => [...new Set([...CHARACTERS, ...PAIRS, ...MORE, ...ownUnits(pattern)])];
const isTooSlow = (pattern: RegExp) => {
  const { ms, unit } = worst((text) => text.replace(pattern, ""), units(pattern));
  return ms > MOST_MS ? [{ pattern: pattern.source, unit, ms: Math.round(ms) }] : [];
};

describe("patterns that run over others' texts", () => {
  it("are found: literals everywhere, and no unknown code that builds patterns", () => {
    expect(literals.length).toBeGreaterThan(60);
    expect(
      scanned
        .filter(({ makes }) => makes)
        .map(({ file }) => file)
        .toSorted(),
    ).toEqual(MADE);
    expect(literals.some(({ file }) => file === "src/catalog/search/words.ts")).toBe(true);
  });

  it("are told apart: a quadratic one from a linear one", () => {
    expect(isTooSlow(/[\p{L}\p{N}]+(?:[-/._][\p{L}\p{N}]+)+/gu)).toHaveLength(1);
    expect(isTooSlow(/\s+$/)).toHaveLength(1);
    expect(isTooSlow(/,\s*$/)).toHaveLength(0);
    expect(isTooSlow(/^[a-z]+$/)).toHaveLength(0);
  });

  const byFile = [...Map.groupBy(literals, ({ file }) => file)];
  it.each(byFile)("take linear time: %s", (_, found) => {
    expect(found.flatMap(({ pattern }) => isTooSlow(pattern))).toEqual([]);
  });

  it.each([["without"], ["in"], ["1/2"], ["foot "], ["字a"]])("take linear time: words, %j too", (unit) => {
    const { ms } = worst((text) => words(text), [...CHARACTERS, ...PAIRS, ...MORE, unit]);
    expect(ms).toBeLessThan(4 * MOST_MS);
  });

  it.each([[""], ["1"], ["1,000"], ["1."], ["EUR "], ["€-"]])(
    "take linear time: numbers that begin with %j",
    (begin) => {
      const { ms } = worst(
        (text) => [numberText(begin + text), numberText((begin + text).slice(0, -1))],
        [...CHARACTERS, ...PAIRS, ...MORE, "1.", ",000", ".-", "EUR", "€"],
      );
      expect(ms).toBeLessThan(2 * MOST_MS);
    },
  );

  it("take linear time: images", () => {
    const { ms } = worst(
      (text) => toImages(text),
      [...CHARACTERS, ...PAIRS, ...MORE, ", \n", ",//", "a\n\n"],
    );
    expect(ms).toBeLessThan(2 * MOST_MS);
  });

  it("take linear time: ids", () => {
    const { ms } = worst((text) => customerIdSchema.safeParse(text), [...CHARACTERS, ...PAIRS, "C-1", "C-"]);
    expect(ms).toBeLessThan(MOST_MS);
  });
});
